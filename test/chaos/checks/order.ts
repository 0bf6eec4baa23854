import type { Seen, SeenMessage, Service } from '../history.js';
import { type Facts, type Received, type Send, truthOf } from './facts.js';
import { signalOf, type Truth } from './truth.js';
import type { Violation } from './violation.js';

/** Service types with the order of each sender. */
export const isFifo = (service: Service) => service !== 'UNRELIABLE' && service !== 'RELIABLE';
/** Service types with one order at all members. Spread treats causal messages as agreed ones. */
export const isAgreed = (service: Service) =>
  service === 'CAUSAL' || service === 'AGREED' || service === 'SAFE';

/**
 * Finds pairs of messages of one sender in the wrong order. `earlier` are those that arrived first. A pair is
 * wrong if the later one was sent before. Concurrent calls have no order, and a message with an unknown
 * outcome may be late.
 */
class SenderOrder {
  readonly #lastBegun = new Map<string, Send>();
  readonly #lastOfStream = new Map<string, Send>();

  /** The message that must not come before `send`, or undefined. */
  add(send: Send): Send | undefined {
    const { box, stream } = send.sent;
    const streamKey = `${box} ${stream}`;
    const inStream = stream === undefined ? undefined : this.#lastOfStream.get(streamKey);
    const last = this.#lastBegun.get(box);
    if (stream !== undefined && !(inStream && inStream.number > send.number))
      this.#lastOfStream.set(streamKey, send);
    if (!last || send.begun > last.begun) this.#lastBegun.set(box, send);
    if (inStream && inStream.number > send.number) return inStream;
    return last && isBefore(send, last) ? last : undefined;
  }
}

/** Whether `a` was certainly passed to the daemon before `b`. */
export function isBefore(a: Send, b: Send): boolean {
  if (a.sent.box !== b.sent.box) return false;
  if (a.sent.stream !== undefined && a.sent.stream === b.sent.stream) return a.number < b.number;
  return a.outcome === 'ok' && a.answered !== undefined && a.answered < b.begun;
}

/**
 * Checks that messages arrive in the order of their sender, and agreed and safe ones and signals in the
 * observer's order.
 */
export function* checkOrder(facts: Facts): Generator<Violation> {
  for (const truth of facts.truths.values())
    for (const { privateGroup, messages } of truth.observers)
      yield* checkFifo(facts, `the observer ${privateGroup}`, messages);
  for (const box of facts.boxes.values()) {
    yield* checkFifo(facts, box.name, messagesOf(box.events));
    yield* checkTotalOrder(truthOf(facts, box), box.name, box.events);
  }
}

function* messagesOf(events: readonly Received[]): Generator<SeenMessage> {
  for (const { event } of events) if (event.is === 'message') yield event;
}

function* checkFifo(facts: Facts, who: string, messages: Iterable<SeenMessage>): Generator<Violation> {
  const order = new SenderOrder();
  for (const { id, service } of messages) {
    const send = id === undefined || !isFifo(service) ? undefined : facts.sends.get(id);
    const wrong = send && order.add(send);
    if (wrong)
      yield { rule: 'order', message: `${who} got ${wrong.sent.id} before ${id}, which was sent first` };
  }
}

function* checkTotalOrder(truth: Truth, who: string, events: Iterable<Received>): Generator<Violation> {
  let last: { id: string; place: number } | undefined;
  for (const { event } of events) {
    const id = orderedId(event);
    const place = id === undefined ? undefined : truth.orderOf.get(id);
    if (id === undefined || place === undefined) continue;
    if (last && place < last.place)
      yield { rule: 'total order', message: `${who} got ${last.id} before ${id}; the observer did not` };
    if (!last || place > last.place) last = { id, place };
  }
}

/** The ID of an event in the total order, if it has one. */
function orderedId(event: Seen): string | undefined {
  if (event.is === 'transitional') return signalOf(event.group, event.id);
  return event.is === 'message' && isAgreed(event.service) ? event.id : undefined;
}
