import type { Mailbox, SpreadError, SpreadEvent, SpreadSidecar } from 'spread-sidecar-client';
import { expect } from 'vitest';
import { type DaemonStep, scriptedDaemon, scriptOf } from '../daemons/scripted-daemon.js';
import {
  type RunningSidecar,
  type SidecarFixtureOptions,
  startSidecar,
} from '../sidecars/sidecar-fixture.js';
import { within } from '../until.js';
import { clientRecordings, loadTranscript } from '../wire/transcripts.js';
import { sidecarAt } from './client.js';

/** A running sidecar and a channel of the TypeScript client. */
export interface ClientWorld {
  readonly running: RunningSidecar;
  readonly spread: SpreadSidecar;
}

export async function world(options: SidecarFixtureOptions = {}): Promise<ClientWorld> {
  const running = await startSidecar(options);
  return { running, spread: sidecarAt(running.target) };
}

/**
 * A sidecar whose daemon plays `scripts`, one for each connection. It does not wait for the disconnect
 * message of a script.
 */
export async function scriptedWorld(
  scripts: readonly (readonly DaemonStep[])[],
  mailbox: SidecarFixtureOptions['mailbox'] = {},
) {
  const daemon = await scriptedDaemon(scripts);
  return {
    daemon,
    ...(await world({ daemons: [daemon.spreadName], mailbox: { disconnectTimeoutMs: 20, ...mailbox } })),
  };
}

/**
 * A mailbox with a daemon that sends the frames of one client in a recording of Spread 5.0.1. The daemon
 * ignores the requests of the mailbox.
 *
 * @param begin - the frames after the handshake wait for it
 */
export async function recordedMailbox(transcript: string, clientId: string, begin?: Promise<unknown>) {
  const recording = clientRecordings(loadTranscript(transcript)).find(({ id }) => id === clientId);
  if (!recording) throw new Error(`transcript ${transcript} has no client ${clientId}`);
  const got = recording.session.filter(({ dir }) => dir === 'recv');
  const [opening, rest] = [
    scriptOf({ ...recording, session: [] }),
    scriptOf({ ...recording, handshake: [], session: got }),
  ];
  const { spread } = await scriptedWorld([[...opening, ...(begin ? [{ wait: begin }] : []), ...rest]]);
  return spread.connect({ privateName: clientId });
}

type EventOf<Kind extends SpreadEvent['kind']> = Extract<SpreadEvent, { kind: Kind }>;

/** Receives events until the first one of this kind. */
export async function next<Kind extends SpreadEvent['kind']>(
  mailbox: Mailbox,
  kind: Kind,
): Promise<EventOf<Kind>> {
  for (;;) {
    const event = await mailbox.receive({ timeoutMs: 5000 });
    if (event.kind === kind) return event as EventOf<Kind>;
  }
}

/** The error that a call rejects with. */
export async function refused(call: Promise<unknown>): Promise<SpreadError> {
  const error = await within(
    call.then(
      () => undefined,
      (reason: SpreadError) => reason,
    ),
    'the failure of a call',
  );
  expect(error, 'a call that had to fail').toBeDefined();
  return error as SpreadError;
}
