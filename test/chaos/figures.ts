import type { Timed } from './history.js';

/** The numbers of a history. */
export interface Figures {
  /** Number of sent messages, by outcome. */
  messages: number;
  ok: number;
  refused: number;
  unknown: number;
  /** Number of events that mailboxes received. */
  events: number;
  mailboxes: number;
  /** Number of replaced streams. */
  resumed: number;
  /** Number of daemon connections that were lost and restored for an open mailbox. */
  restored: number;
  /** Number of faults by link and kind. */
  faults: Record<string, number>;
  /** Number of ended mailboxes by reason. */
  ends: Record<string, number>;
}

export const noFigures = (): Figures => ({
  messages: 0,
  ok: 0,
  refused: 0,
  unknown: 0,
  events: 0,
  mailboxes: 0,
  resumed: 0,
  restored: 0,
  faults: {},
  ends: {},
});

/** Adds the numbers of a history. */
export function count(figures: Figures, entries: readonly Timed[]): void {
  const attached = new Set<string>();
  const more = (table: Record<string, number>, key: string) => {
    table[key] = (table[key] ?? 0) + 1;
  };
  for (const entry of entries) {
    if (entry.kind === 'send') figures.messages += 1;
    if (entry.kind === 'sent') figures[entry.outcome] += 1;
    if (entry.kind === 'event') {
      figures.events += 1;
      if (entry.event.is === 'restored') figures.restored += 1;
    }
    if (entry.kind === 'connected') figures.mailboxes += 1;
    // A stall of the machine is not an injected fault.
    if (entry.kind === 'fault' && entry.link !== 'machine')
      more(figures.faults, `${entry.link.split(':')[0]} ${entry.fault}`);
    if (entry.kind === 'ended')
      more(figures.ends, entry.failure ? entry.failure.reason || entry.failure.status : 'as asked');
    if (entry.kind === 'attached') {
      const reader = `${entry.box} ${entry.reader}`;
      if (attached.has(reader)) figures.resumed += 1;
      attached.add(reader);
    }
  }
}

export const sumOf = (table: Readonly<Record<string, number>>) =>
  Object.values(table).reduce((sum, value) => sum + value, 0);

const listOf = (table: Readonly<Record<string, number>>) =>
  Object.entries(table)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');

/** A summary for people. */
export function summary(figures: Figures, violations: number): string {
  const { messages, ok, refused, unknown, events, mailboxes, resumed, restored, faults, ends } = figures;
  return [
    `faults: ${listOf(faults)}`,
    `ends of mailboxes: ${listOf(ends)}; streams resumed: ${resumed}; daemon connections restored: ${restored}`,
    `${messages} messages (${ok} ok, ${refused} refused, ${unknown} unknown), ${events} events at ${mailboxes} mailboxes, ${sumOf(faults)} faults, ${violations} violations`,
  ].join('\n');
}
