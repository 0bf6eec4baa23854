import type { SeenMessage } from '../history.js';
import { type Facts, isOutOfSight } from './facts.js';
import { daemonOf } from './truth.js';
import type { Violation } from './violation.js';

/** Checks that a receiver gets each message at most once and unchanged. */
export function* checkContent(facts: Facts): Generator<Violation> {
  for (const truth of facts.truths.values())
    for (const { privateGroup, messages } of truth.observers)
      yield* checkReceiver(facts, `the observer ${privateGroup}`, new Set([privateGroup]), messages);
  for (const box of facts.boxes.values()) {
    const messages = box.events.flatMap(({ event }) => (event.is === 'message' ? [event] : []));
    yield* checkReceiver(facts, box.name, box.privateGroups, messages);
  }
}

function* checkReceiver(
  facts: Facts,
  who: string,
  own: ReadonlySet<string>,
  messages: readonly SeenMessage[],
): Generator<Violation> {
  const seen = new Set<string>();
  for (const message of messages) {
    const { id } = message;
    if (id === undefined || seen.has(id)) {
      const what = id === undefined ? `a message of ${message.sender} that nobody sent` : `${id} twice`;
      yield { rule: id === undefined ? 'content' : 'duplicate', message: `${who} got ${what}` };
      continue;
    }
    seen.add(id);
    const difference = differenceOf(facts, message);
    if (difference) yield { rule: 'content', message: `${who} got ${id} ${difference}` };
    if (message.selfDiscard && own.has(message.sender))
      yield { rule: 'content', message: `${who} got its own ${id}, which asked for no copy to itself` };
  }
}

function differenceOf(facts: Facts, message: SeenMessage): string | undefined {
  const observers = facts.truths.get(daemonOf(message.sender))?.observers;
  if (observers?.some(({ privateGroup }) => privateGroup === message.sender)) return undefined;
  const sent = facts.sends.get(message.id!)?.sent;
  if (!sent) return 'that nobody sent';
  const box = facts.boxes.get(sent.box);
  if (!box?.privateGroups.has(message.sender) && !(box && isOutOfSight(box)))
    return `from ${message.sender}, not from ${sent.box}`;
  if (message.bytes !== sent.bytes || message.sum !== sent.sum) return 'with other bytes than were sent';
  if (message.service !== sent.service) return `as ${message.service}, not as ${sent.service}`;
  if (message.selfDiscard !== sent.selfDiscard) return 'with another self-discard';
  if (message.groups.join() !== sent.groups.join())
    return `for ${message.groups.join()}, not ${sent.groups.join()}`;
  return undefined;
}
