import type { BoxFacts, Facts, Reader } from './facts.js';
import type { Violation } from './violation.js';

/**
 * Checks that events of a mailbox are numbered from 1 without gaps. Each reader receives them in this way
 * from the start of its stream, across all breaks. Events with the same number are the same at several
 * readers. Together the readers miss nothing.
 */
export function* checkSequences({ boxes }: Facts): Generator<Violation> {
  for (const box of boxes.values()) {
    for (const reader of box.readers.values()) yield* checkReader(box, reader);
    yield* checkTogether(box);
  }
}

function* checkReader(box: BoxFacts, { number, next, received }: Reader): Generator<Violation> {
  let due = next ?? received[0]?.sequence ?? 1;
  const who = `reader ${number} of ${box.name}`;
  for (const { sequence } of received) {
    if (sequence > due) yield { rule: 'gap', message: `${who}: ${sequence} came where ${due} was due` };
    else if (sequence === due - 1) yield { rule: 'duplicate', message: `${who}: ${sequence} came twice` };
    else if (sequence < due) yield { rule: 'order', message: `${who}: ${sequence} came after ${due - 1}` };
    due = sequence + 1;
  }
}

function* checkTogether(box: BoxFacts): Generator<Violation> {
  const texts = new Map<number, string>();
  if (box.readers.size > 1)
    for (const reader of box.readers.values())
      for (const { sequence, event } of reader.received) {
        const text = JSON.stringify(event);
        const before = texts.get(sequence) ?? text;
        texts.set(sequence, before);
        if (before !== text)
          yield {
            rule: 'content',
            message: `${box.name}: event ${sequence} came as ${before} and, on a later stream, as ${text}`,
          };
      }
  let due = 1;
  for (const { sequence } of box.events) {
    if (sequence !== due)
      yield { rule: 'gap', message: `${box.name}: nobody got the events ${due} to ${sequence - 1}` };
    due = sequence + 1;
  }
}
