import { expect } from 'vitest';
import type { Timed } from './history.js';

// Changes to a valid history, as a defect would cause them.

export type EventEntry = Extract<Timed, { kind: 'event' }>;

export const isEvent = (entry: Timed, box: string, id?: string): entry is EventEntry =>
  entry.kind === 'event' &&
  entry.box === box &&
  (id === undefined || (entry.event.is === 'message' && entry.event.id === id));

/** The index at which a mailbox recorded a message. */
export function at(entries: readonly Timed[], box: string, id: string): number {
  const index = entries.findIndex((entry) => isEvent(entry, box, id));
  expect(index, `${box} got ${id}`).toBeGreaterThan(0);
  return index;
}

/** Renumbers a mailbox's events, as a sidecar with this defect would do. */
export function renumber(entries: Timed[], box: string): Timed[] {
  let sequence = 0;
  return entries.map((entry) => {
    if (!isEvent(entry, box)) return entry;
    sequence += 1;
    return { ...entry, sequence };
  });
}

/** Swaps two entries, but not their sequences. */
export function swap(entries: Timed[], one: number, other: number): Timed[] {
  const [a, b] = [entries[one] as EventEntry, entries[other] as EventEntry];
  return entries.with(one, { ...a, event: b.event }).with(other, { ...b, event: a.event });
}

export const without = (entries: Timed[], index: number) => entries.toSpliced(index, 1);

/** Changes one event. */
export function change(entries: Timed[], index: number, fields: object): Timed[] {
  const entry = entries[index] as EventEntry;
  return entries.with(index, { ...entry, event: { ...entry.event, ...fields } as EventEntry['event'] });
}
