import type { BoxFacts, Facts, Received, Send } from './facts.js';
import { faultBefore } from './facts.js';
import { isBefore } from './order.js';
import type { Violation } from './violation.js';

/** A sidecar that says goodbye over a broken link gives up after this time. Unit: ms. */
const GOODBYE_MS = 3000;
/** A cut may be noticed this much later. Unit: ms. */
const NOTICE_MS = 1000;

/** What a send's answer said is what happened. */
export function* checkSends(facts: Facts): Generator<Violation> {
  const received = new Map([...facts.boxes.values()].map((box) => [box.privateGroup, new Delivery(box)]));
  for (const box of facts.boxes.values()) {
    const intact = wentInOrder(facts, box);
    const missing: Send[] = [];
    for (const send of box.sends) {
      yield* checkAnswer(send);
      const { id, groups } = send.sent;
      const observable = groups.some((group) => facts.groups.has(group));
      const delivered = facts.orderOf.has(id) || [...received.values()].some((there) => there.has(id));
      if (send.outcome === 'refused' && delivered)
        yield { rule: 'send', message: `${id} was refused, and came all the same` };
      if (send.outcome === 'ok' && observable && !delivered) {
        if (intact) yield { rule: 'send', message: `${id} was answered with OK and never came` };
        missing.push(send);
      }
      const before = delivered && missing.find((lost) => isBefore(lost, send));
      if (before)
        yield {
          rule: 'send',
          message: `${before.sent.id} was answered with OK and never came, and ${id}, sent after it, did`,
        };
      if (send.outcome === 'ok' && !observable && intact) yield* checkPrivate(send, received);
    }
    yield* checkSelfDelivery(facts, box);
  }
}

/** What a mailbox received, to look up. */
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

/** A message to a mailbox alone comes if that one lives to the end. */
function* checkPrivate({ sent }: Send, received: ReadonlyMap<string, Delivery>): Generator<Violation> {
  for (const group of sent.groups) {
    const there = received.get(group);
    if (there?.box.settled && !there.has(sent.id))
      yield { rule: 'send', message: `${sent.id} was answered with OK and never came to ${there.box.name}` };
  }
}

/**
 * Whether everything that the sidecar handed to the daemon's connection reached the daemon: the mailbox lived
 * to the end, or was given up in order over a link that was whole.
 */
function wentInOrder(facts: Facts, box: BoxFacts): boolean {
  if (box.settled) return true;
  const { goodbye, end } = box;
  if (!goodbye || !end || end.failure || (goodbye.how !== 'clean' && goodbye.how !== 'leave-first'))
    return false;
  return !faultBefore(facts, `daemon:${box.app}`, goodbye.at + GOODBYE_MS, GOODBYE_MS + NOTICE_MS);
}

/** From joining to leaving, a member gets its own messages. */
function* checkSelfDelivery(facts: Facts, box: BoxFacts): Generator<Violation> {
  const own = new Delivery(box);
  for (const span of spansOf(facts, box))
    for (const { sent, begun, answered, outcome } of box.sends)
      if (
        outcome === 'ok' &&
        !sent.selfDiscard &&
        sent.groups.includes(span.group) &&
        begun > span.from &&
        answered! < span.to &&
        !own.has(sent.id)
      )
        yield {
          rule: 'self-delivery',
          message: `${box.name} was in ${span.group} and did not get its own ${sent.id}`,
        };
}

interface Span {
  readonly group: string;
  /** Entry of the view that began it. */
  readonly from: number;
  /** Entry of the request that ended it. */
  readonly to: number;
}

/** The memberships that it saw begin and end, or that lasted to the end of a mailbox that lacked nothing. */
function spansOf(facts: Facts, box: BoxFacts): Span[] {
  const spans: Span[] = [];
  const open = new Map<string, Received>();
  for (const received of box.events) {
    const { event } = received;
    if (event.is === 'view' && !open.has(event.group)) open.set(event.group, received);
    if (event.is === 'lost') open.clear();
    if (event.is !== 'selfLeave') continue;
    const from = open.get(event.group)?.entry ?? Number.POSITIVE_INFINITY;
    const to = box.leaves.find((leave) => leave.group === event.group && leave.entry > from)?.entry;
    // Without a request of its own the leave belongs to its goodbye.
    if (to !== undefined) spans.push({ group: event.group, from, to });
    open.delete(event.group);
  }
  if (box.settled)
    for (const [group, { entry }] of open) spans.push({ group, from: entry, to: facts.entries.length });
  return spans;
}
