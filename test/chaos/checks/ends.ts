import type { Failure } from '../history.js';
import type { BoxFacts, Facts } from './facts.js';
import { faultBefore } from './facts.js';
import type { Violation } from './violation.js';

/** Maximum delay until a broken connection is noticed, or the next one fails. Unit: ms. */
const AFTERMATH_MS = 6000;
/** Statuses and reasons that a network fault cannot cause. */
const NEVER = new Set(['DEFECT', 'INTERNAL', 'UNKNOWN', 'DATA_LOSS', 'INVALID_ARGUMENT', 'UNIMPLEMENTED']);
/** Reasons that a fault between sidecar and daemon can cause. */
const DAEMON_REASONS = new Set([
  'CONNECTION_CLOSED',
  'NET_ERROR_ON_SESSION',
  'COULD_NOT_CONNECT',
  'RECONNECTING',
]);
/** Reasons with which a real daemon rejects a handshake that a fault has changed. */
const TORN = new Set(['REJECT_ILLEGAL_NAME', 'REJECT_AUTH']);
/** Reasons of the sidecar for a mailbox without its application. */
const LOST_TOUCH = new Set(['LEASE_EXPIRED']);

/**
 * Checks that each mailbox and each failed call gets a reason of the contract that a fault explains. The end
 * comes after every received event. After the faults, nothing is left.
 */
export function* checkEnds(facts: Facts): Generator<Violation> {
  for (const box of facts.boxes.values()) yield* checkEnd(facts, box);
  for (const entry of facts.entries) {
    if (entry.kind === 'stuck')
      yield { rule: 'stuck', message: `${entry.box} lacks ${entry.missing} although nothing is in its way` };
    if (entry.kind === 'event' && entry.event.is === 'lost') yield* checkLoss(facts, entry.box, entry.at);
    if (entry.kind === 'failed')
      yield* checkFailure(facts, `${entry.call} of ${entry.box}`, entry.app, entry.at, entry.failure);
    if (entry.kind === 'sent' && entry.failure && entry.failure.status !== 'INVALID_ARGUMENT') {
      const app = facts.boxes.get(entry.box)?.app ?? -1;
      yield* checkFailure(facts, `the send of ${entry.id}`, app, entry.at, entry.failure);
    }
  }
}

function* checkEnd(
  facts: Facts,
  { name, app, connectedAt, end, goodbye, settled, events }: BoxFacts,
): Generator<Violation> {
  if (!end) {
    yield { rule: 'end', message: `${name} ended in silence: it received nothing more and no end` };
    return;
  }
  const { failure } = end;
  if (!failure) {
    if (!goodbye) yield { rule: 'end', message: `${name} ended as asked, and nobody asked` };
    return;
  }
  if (settled)
    yield { rule: 'end', message: `${name} was whole to the end, and ended with ${textOf(failure)}` };
  // A killed sidecar cannot report the end.
  const killed = facts.faults.some(
    ({ fault, links, from, to }) =>
      // The response to its connect may have arrived just before, and was read just after.
      fault === 'kill' && links.includes(`app:${app}`) && to >= connectedAt && from <= end.at,
  );
  if (failure.reason === 'ILLEGAL_SESSION' && !goodbye && !killed)
    yield { rule: 'end', message: `${name} was gone without a reason: ${textOf(failure)}` };
  if (failure.status === 'CANCELLED')
    yield { rule: 'end', message: `${name} ended with ${textOf(failure)}, and nobody cancelled it` };
  yield* checkFailure(facts, `the end of ${name}`, app, end.at, failure);
  // A mailbox whose lease has expired loses its queued events. Its end contains their number.
  if (LOST_TOUCH.has(failure.reason)) return;
  const last = events.at(-1)?.sequence ?? 0;
  if (failure.lastSequence !== undefined && failure.lastSequence !== last && !goodbye)
    yield {
      rule: 'gap',
      message: `${name} got the events up to ${last}; its end (${textOf(failure)}) says that there were ${failure.lastSequence}`,
    };
}

/** Checks that an open mailbox reports the loss of its connection, and only then. */
function* checkLoss(facts: Facts, box: string, at: number): Generator<Violation> {
  const link = `daemon:${facts.boxes.get(box)?.app}`;
  // A receiver that was away may get the report late.
  if (!faultBefore(facts, link, at, Number.POSITIVE_INFINITY))
    yield {
      rule: 'end',
      message: `${box} lost its connection at ${at} ms, and no fault of ${link} explains it`,
    };
}

function* checkFailure(
  facts: Facts,
  what: string,
  app: number,
  at: number,
  failure: Failure,
): Generator<Violation> {
  const { status, reason } = failure;
  const struck = (side: 'app' | 'daemon') => faultBefore(facts, `${side}:${app}`, at, AFTERMATH_MS);
  const unexplained = (of: string): Violation => ({
    rule: 'end',
    message: `${what} at ${at} ms was ${textOf(failure)}, and no fault of the link to the ${of} explains it`,
  });
  // A real daemon does not accept a handshake in pieces: it rejects an incomplete name as illegal, and an
  // incomplete choice as an authentication failure.
  if (TORN.has(reason) && struck('daemon')) return;
  if (NEVER.has(status)) yield { rule: 'end', message: `${what} was ${textOf(failure)}` };
  else if (DAEMON_REASONS.has(reason) && !struck('daemon')) yield unexplained('daemon');
  else if (LOST_TOUCH.has(reason) && !struck('app')) yield unexplained('sidecar');
  else if (reason === '' && status === 'UNAVAILABLE' && !struck('app')) yield unexplained('sidecar');
}

function textOf({ status, reason, message }: Failure): string {
  return `${status}${reason && ` ${reason}`} (${message})`;
}
