import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check } from './checker.js';
import { count, noFigures, summary, sumOf } from './figures.js';
import type { Timed } from './history.js';
import { Random } from './random.js';
import { runRound } from './round.js';
import { startWorld, type World } from './world.js';

const SEEDS = [1, 2, 3];
const PATIENCE_MS = 120_000;

type EventEntry = Extract<Timed, { kind: 'event' }>;

let world: World;
let history: readonly Timed[] = [];
const figures = noFigures();

beforeAll(async () => {
  world = await startWorld({ apps: 5 });
});
afterAll(() => world.stop());

describe('a sidecar whose links break on both sides', () => {
  it.each(SEEDS)(
    'keeps its guarantees (seed %i)',
    async (seed) => {
      const made = await runRound(world, {
        seed,
        round: seed,
        messages: 1200,
        faults: 10,
        maxMs: PATIENCE_MS,
        // Long enough that only a fault ends a mailbox, and not a pause of a busy machine.
        leaseMs: 5000,
        groups: 3,
        lanes: 3,
      });
      history = made.entries;
      count(figures, history);
      expect(check(history)).toEqual([]);
      expect(world.defects).toEqual([]);
    },
    PATIENCE_MS,
  );

  it('had enough traffic', () => {
    expect(figures.messages, summary(figures, 0)).toBeGreaterThanOrEqual(3000);
    expect(sumOf(figures.faults), summary(figures, 0)).toBeGreaterThanOrEqual(20);
    expect(figures.ok).toBeGreaterThan(figures.messages * 0.5);
    expect(figures.events).toBeGreaterThan(figures.messages);
  });
});

describe('in its history, the checker finds', () => {
  const random = new Random('injuries');

  /**
   * The history with one event of a mailbox removed or repeated. Later events are renumbered, as a sidecar
   * with this defect would do.
   */
  function injured(pick: (entry: EventEntry) => boolean, copies: 0 | 1 | 2): Timed[] {
    const settled = new Set(history.flatMap((entry) => (entry.kind === 'settled' ? [entry.box] : [])));
    // The end of a disconnected session may be missing.
    const lostAt = new Map<string, number>();
    for (const entry of history)
      if (entry.kind === 'event' && entry.event.is === 'lost') lostAt.set(entry.box, entry.sequence);
    const candidates = history.filter(
      (entry): entry is EventEntry =>
        entry.kind === 'event' &&
        settled.has(entry.box) &&
        entry.sequence > (lostAt.get(entry.box) ?? 0) &&
        pick(entry),
    );
    const { box, sequence } = random.pick(candidates);
    const move = (number: number) => (number > sequence ? number + copies - 1 : number);
    return history.flatMap((entry): Timed[] => {
      if (entry.kind === 'attached' && entry.box === box) return [{ ...entry, next: move(entry.next) }];
      if (entry.kind !== 'event' || entry.box !== box) return [entry];
      if (entry.sequence !== sequence) return [{ ...entry, sequence: move(entry.sequence) }];
      return Array.from({ length: copies }, (_, i) => ({ ...entry, sequence: sequence + i }));
    });
  }

  const isGroupMessage = ({ event }: EventEntry) =>
    event.is === 'message' && event.groups.some((group) => group.startsWith('chaos-'));
  const isView = ({ event }: EventEntry) => event.is === 'view';
  const times = Array.from({ length: 10 }, (_, i) => i + 1);

  it('nothing, if it is unchanged', () => {
    expect(check(injured(isView, 1))).toEqual([]);
  });
  it.each(times)('any message that is dropped (%i)', () => {
    expect(check(injured(isGroupMessage, 0))).not.toEqual([]);
  });
  it.each(times)('any repeated message (%i)', () => {
    expect(check(injured(isGroupMessage, 2))).not.toEqual([]);
  });
  it.each(times)('any lost view (%i)', () => {
    expect(check(injured(isView, 0))).not.toEqual([]);
  });
});
