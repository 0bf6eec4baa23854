import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { ConnectOptions } from '../../../../server/src/mailbox/connection/connect-options.js';
import type { ReconnectOptions } from '../../../../server/src/mailbox/connection/reconnect-options.js';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import { MailboxRegistry } from '../../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../../server/src/mailbox/settings.js';
import { SILENT } from '../../../../server/src/mailbox/telemetry.js';
import type { SpreadError } from '../../../../server/src/spread/spread-error.js';
import { FakeDaemons } from '../../../support/mailboxes/fake-daemons.js';
import type { FakeSession } from '../../../support/mailboxes/fake-session.js';
import { mailboxSettings } from '../../../support/mailboxes/mailbox-settings.js';
import { plainEncode } from '../../../support/mailboxes/plain-events.js';

export const A = '4803@a';
export const B = '4803@b';
export const ME = '#me#test';
/** Pauses without jitter: 100, 200, 400, 800, 1000, 1000 ms … */
export const RECONNECT = {
  backoff: { initialMs: 100, maxMs: 1000, random: () => 1 },
  giveUp: { defaultMs: 60_000, minMs: 100, maxMs: 3_600_000 },
  nameWaitMs: 5_000,
};

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
export const like = (error: object) => expect.objectContaining(error);
/** Waits for a promise that needs only some turns. */
export async function done<T>(promise: Promise<T>): Promise<T> {
  await pass(0);
  return await promise;
}
/** The current state of a promise. */
export function fate(promise: Promise<unknown>): { value?: unknown; error?: unknown; settled: boolean } {
  const seen: { value?: unknown; error?: unknown; settled: boolean } = { settled: false };
  promise.then(
    (value) => Object.assign(seen, { value, settled: true }),
    (error) => Object.assign(seen, { error, settled: true }),
  );
  return seen;
}

export let daemons: FakeDaemons;
export let registry: MailboxRegistry;
export const reported: string[] = [];
export const ended: string[] = [];

export async function open(
  policy: Partial<ReconnectOptions> = {},
  asked: Partial<ConnectOptions> = {},
  settings: Partial<MailboxSettings> = {},
): Promise<Mailbox> {
  registry = new MailboxRegistry({
    settings: mailboxSettings({ daemons: [A], reconnect: RECONNECT, ...settings }),
    encode: plainEncode,
    connectSession: daemons.connect,
    telemetry: {
      ...SILENT,
      ended: (_, reason, message) => ended.push(`${reason}: ${message}`),
      reconnecting: ({ privateGroup }) => reported.push(`reconnecting ${privateGroup}`),
      reconnectFailed: (_, daemon, error) => reported.push(`failed ${daemon} ${(error as SpreadError).code}`),
      reconnected: (mailbox, previous, seconds) =>
        reported.push(`reconnected ${previous} ${mailbox.privateGroup} ${mailbox.daemon} ${seconds}`),
      reconnectGivenUp: () => reported.push('given up'),
    },
  });
  return await registry.connect({
    daemon: '',
    privateName: 'me',
    onNameConflict: 'FAIL',
    priority: 0,
    membership: true,
    reconnect: { onNameLoss: 'END', queueMulticasts: false, ...policy },
    queue: {},
    acknowledgement: 'AUTO',
    ...asked,
  });
}

export const session = (): FakeSession => daemons.sessions.at(-1)!;
/** All daemons reject until allow(). */
export const refuse = (code: 'COULD_NOT_CONNECT' | 'REJECT_NOT_UNIQUE' = 'COULD_NOT_CONNECT') => {
  daemons.answer = () => code;
};
export const allow = () => {
  daemons.answer = () => undefined;
};
export const attemptsSinceOpening = () => daemons.attempts.slice(1);

/** Resets the shared state before and after each test of the calling suite. */
export function resetForEachTest(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance', 'Date'],
    });
    daemons = new FakeDaemons();
    reported.length = 0;
    ended.length = 0;
  });
  afterEach(async () => {
    const drained = registry.drain({ graceMs: 0 });
    await pass(5_000);
    await drained;
    vi.useRealTimers();
  });
}
