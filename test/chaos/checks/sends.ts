import type { BoxFacts, Facts, Send } from './facts.js';
import {
  BETWEEN_DAEMONS,
  faultBefore,
  hadAnotherSession,
  isOutOfSight,
  truthOf,
  wasObserved,
} from './facts.js';
import { isBefore } from './order.js';
import { daemonOf } from './truth.js';
import type { Violation } from './violation.js';

/** Timeout of the sidecar's disconnect message over a faulty link. Unit: ms. */
const GOODBYE_MS = 3000;
/** Maximum delay until a lost connection is noticed. Unit: ms. */
const NOTICE_MS = 1000;
/** Maximum time between a fault between daemons and its visible effects. Unit: ms. */
const REACH_MS = 10_000;

/** Checks that the result of a send is correct. */
export function* checkSends(facts: Facts): Generator<Violation> {
  const received = new Map([...facts.boxes.values()].map((box) => [box.privateGroup, new Delivery(box)]));
  for (const box of facts.boxes.values()) {
    const intact = wentInOrder(facts, box);
    const oneSession = box.losses === 0 && !(isOutOfSight(box) && hadAnotherSession(facts, box));
    const missing: Send[] = [];
    for (const send of box.sends) {
      yield* checkAnswer(send);
      const { id, groups } = send.sent;
      const observable = groups.some((group) => facts.groups.has(group));
      const delivered = wasObserved(facts, id) || [...received.values()].some((there) => there.has(id));
      if (send.outcome === 'refused' && delivered)
        yield { rule: 'send', message: `${id} was refused, and came all the same` };
      if (send.outcome === 'ok' && observable && !delivered) {
        const explained = oneSession ? !intact : lossAround(facts, box, send);
        if (!explained) yield { rule: 'send', message: `${id} was answered with OK and never came` };
        missing.push(send);
      }
      // A new session does not repeat messages of the previous one.
      const before = delivered && oneSession && missing.find((lost) => isBefore(lost, send));
      if (before)
        yield {
          rule: 'send',
          message: `${before.sent.id} was answered with OK and never came, and ${id}, sent after it, did`,
        };
      if (send.outcome === 'ok' && !observable && intact) yield* checkPrivate(facts, send, received);
    }
    yield* checkSelfDelivery(facts, box);
  }
}

/** The received messages of a mailbox, for lookups. */
class Delivery {
  readonly #ids: ReadonlySet<string>;

  constructor(readonly box: BoxFacts) {
    this.#ids = new Set(
      box.events.flatMap(({ event }) => (event.is === 'message' && event.id ? [event.id] : [])),
    );
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }
}

function* checkAnswer({ sent, outcome, failure }: Send): Generator<Violation> {
  const { id, refusal } = sent;
  if (outcome === undefined) yield { rule: 'send', message: `${id} was never answered` };
  else if (refusal !== undefined && outcome === 'ok')
    yield { rule: 'send', message: `${id} was to be refused with ${refusal}, and was answered with OK` };
  const invalid = failure?.status === 'INVALID_ARGUMENT';
  if (invalid && failure.reason !== refusal)
    yield { rule: 'send', message: `${id} was refused with ${failure.reason}: ${failure.message}` };
}

/** Checks that a message to one mailbox arrives if the mailbox survives and no daemon was unreachable. */
function* checkPrivate(
  facts: Facts,
  { sent, begunAt, answered }: Send,
  received: ReadonlyMap<string, Delivery>,
): Generator<Violation> {
  const answeredAt = facts.entries[answered!]!.at;
  for (const group of sent.groups) {
    const there = received.get(group);
    const far = daemonOf(group) !== daemonOf(facts.boxes.get(sent.box)!.privateGroup);
    if (
      far &&
      faultBefore(facts, BETWEEN_DAEMONS, answeredAt + REACH_MS, answeredAt - begunAt + 2 * REACH_MS)
    )
      continue;
    if (there?.box.settled && there.box.losses === 0 && !there.has(sent.id))
      yield { rule: 'send', message: `${sent.id} was answered with OK and never came to ${there.box.name}` };
  }
}

/**
 * Whether everything that the sidecar passed to the daemon connection reached the daemon: the mailbox
 * survived, or disconnected cleanly over a link without faults.
 */
function wentInOrder(facts: Facts, box: BoxFacts): boolean {
  const { goodbye, end, losses, settled } = box;
  if (losses > 0) return false;
  if (settled) return true;
  if (!goodbye || !end || end.failure || (goodbye.how !== 'clean' && goodbye.how !== 'leave-first'))
    return false;
  return !faultBefore(facts, `daemon:${box.app}`, goodbye.at + GOODBYE_MS, GOODBYE_MS + NOTICE_MS);
}

/** Whether a fault may have lost messages that an open mailbox had passed to the daemon connection. */
function lossAround(facts: Facts, box: BoxFacts, send: Send): boolean {
  const answeredAt = facts.entries[send.answered!]!.at;
  return faultBefore(
    facts,
    `daemon:${box.app}`,
    answeredAt + GOODBYE_MS,
    answeredAt + GOODBYE_MS - send.begunAt + NOTICE_MS,
  );
}

/**
 * Checks that a member receives its own messages: those that the daemon accepted while it was in the group. A
 * disconnected mailbox may miss the last ones.
 */
function* checkSelfDelivery(facts: Facts, box: BoxFacts): Generator<Violation> {
  if (!box.settled || box.losses > 0) return;
  const own = new Delivery(box);
  for (const [group, intervals] of truthOf(facts, box).intervals)
    for (const { view, messages } of intervals)
      for (const id of view.members.includes(box.privateGroup) ? messages : []) {
        const sent = facts.sends.get(id)?.sent;
        if (sent?.box === box.name && !sent.selfDiscard && !own.has(id))
          yield {
            rule: 'self-delivery',
            message: `${box.name} was in ${group} and did not get its own ${id}`,
          };
      }
}
