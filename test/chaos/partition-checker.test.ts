import { describe, expect, it } from 'vitest';
import { check } from './checker.js';
import type { Rule } from './checks/violation.js';
import type { Seen, Timed } from './history.js';
import { at, change, type EventEntry, isEvent, renumber, swap, without } from './injuries.js';
import { ScriptedHistory } from './scripted-history.js';

type Observed = Extract<Timed, { kind: 'observed' }>;

/** Three daemons that lose and find each other, a daemon and a sidecar that are killed. */
function goodHistory(): Timed[] {
  const script = new ScriptedHistory(['g', 'h'], ['d1', 'd2', 'd3']);
  const a = script.connect('a', 'd1');
  const b = script.connect('b', 'd2');
  const c = script.connect('c', 'd3');
  for (const box of [a, b, c]) script.join(box, 'g');
  script.join(a, 'h');
  script.send(a, ['g'], 'AGREED'); // a:1
  script.send(b, ['g', 'h'], 'SAFE'); // b:1
  script.send(c, ['g'], 'FIFO'); // c:1
  script.partition(['d1', 'd2'], ['d3']);
  script.send(a, ['g'], 'SAFE'); // a:2
  script.send(c, ['g', 'h'], 'AGREED'); // c:2
  script.send(b, ['g'], 'RELIABLE'); // b:2
  script.send(b, ['g'], 'AGREED'); // b:3
  script.leave(a, 'h');
  script.heal();
  script.send(c, ['g'], 'SAFE'); // c:3
  script.send(a, ['g'], 'FIFO'); // a:3
  script.partition(['d1'], ['d2'], ['d3']);
  script.send(c, ['g'], 'AGREED'); // c:4
  script.restart('d3', c);
  const d = script.connect('d', 'd3');
  script.join(d, 'g');
  script.heal();
  script.send(d, ['g'], 'SAFE'); // d:1
  script.crash(b);
  script.send(a, ['g'], 'AGREED'); // a:4
  return script.end();
}

/** The first daemon, which creates the IDs of views, is killed once. */
function restartedFirst(): Timed[] {
  const script = new ScriptedHistory(['g', 'h'], ['d1', 'd2', 'd3']);
  const a = script.connect('a', 'd1');
  const b = script.connect('b', 'd2');
  const c = script.connect('c', 'd3');
  for (const box of [a, b, c]) script.join(box, 'g');
  script.partition(['d1', 'd2'], ['d3']);
  script.join(b, 'h');
  script.partition(['d1'], ['d2'], ['d3']);
  script.rejoin('d2', 'd3');
  script.send(b, ['g', 'h'], 'SAFE');
  script.restart('d1');
  script.partition(['d1'], ['d2'], ['d3']);
  script.rejoin('d1', 'd3');
  script.partition(['d1'], ['d2'], ['d3']);
  script.heal();
  return script.end();
}

/** The ID of the nth view with this cause at an observer, counted from the end if negative. */
function viewId(all: readonly Timed[], by: number, cause: string, nth = 0): string {
  const ids = all.flatMap((entry) =>
    isObserved(entry, by) && entry.event.is === 'view' && entry.event.cause === cause ? [entry.event.id] : [],
  );
  const id = ids.at(nth);
  if (id === undefined) throw new Error(`observer ${by} got ${ids.length} views by ${cause}`);
  return id;
}

/** The same history, in which the view `second` has the ID of the view `first`. */
function giveAgain(all: readonly Timed[], first: string, second: string): Timed[] {
  const text = JSON.stringify(all);
  const again = text.replaceAll(`"${second}"`, `"${first}"`);
  if (again === text) throw new Error(`${first} and ${second} are the same view`);
  return JSON.parse(again) as Timed[];
}

/** Whether the checker finds different views with this ID. */
const differs = (all: readonly Timed[], id: string) =>
  check(all).some(
    ({ rule, message }) =>
      rule === 'view' && message.includes(`view ${id} of`) && / has |came before/.test(message),
  );

/** The indexes of the views and signals of lost and found daemons, at a mailbox or an observer. */
const where = (all: readonly Timed[], who: string | number, is: 'network' | 'transitional', nth = 0) =>
  all.flatMap((entry, i) => {
    const mine = typeof who === 'string' ? isEvent(entry, who) : isObserved(entry, who);
    if (!mine || !('event' in entry) || !entry.event) return [];
    const event: Seen = entry.event;
    const fits = is === 'network' ? event.is === 'view' && event.cause === 'NETWORK' : event.is === is;
    return fits ? [i] : [];
  })[nth]!;

const isObserved = (entry: Timed, by: number, id?: string): entry is Observed =>
  entry.kind === 'observed' &&
  entry.by === by &&
  (id === undefined || (entry.event.is === 'message' && entry.event.id === id));

const sightOf = (all: readonly Timed[], by: number, id: string) =>
  all.findIndex((entry) => isObserved(entry, by, id));

/** Removes an event from the observer and from the mailbox, because a daemon affects both. */
const dropAt = (all: Timed[], daemon: number, box: string, id: string) =>
  renumber(without(without(all, at(all, box, id)), sightOf(all, daemon, id)), box);

const defects: Record<string, [Rule, (all: Timed[]) => Timed[]]> = {
  'loses the view after a cut': ['view', (all) => renumber(without(all, where(all, 'b', 'network')), 'b')],
  'loses the view after a heal': [
    'view',
    (all) => renumber(without(all, where(all, 'c', 'network', 1)), 'c'),
  ],
  'loses a signal': [
    'virtual synchrony',
    (all) => renumber(without(all, where(all, 'b', 'transitional')), 'b'),
  ],
  'gives a signal too early': [
    'total order',
    (all) => swap(all, at(all, 'b', 'b:1'), where(all, 'b', 'transitional')),
  ],
  'gives a signal of another view': [
    'view',
    (all) => change(all, where(all, 'b', 'transitional'), { id: '1 1 1' }),
  ],
  'marks the wrong set as its own': [
    'view',
    (all) => change(all, where(all, 'c', 'network', 1), { ownSet: 0 }),
  ],
  'leaves a set out': [
    'view',
    (all) => change(all, where(all, 'c', 'network', 1), { sets: [[]], ownSet: 0 }),
  ],
  'makes a cut look like a leave': [
    'view',
    (all) => change(all, where(all, 'b', 'network'), { cause: 'LEAVE' }),
  ],
  'delivers across a cut': [
    'virtual synchrony',
    (all) => {
      const copy = all[at(all, 'a', 'a:2')] as EventEntry;
      const index = at(all, 'c', 'c:2');
      const more: Timed = { ...copy, box: 'c' };
      return renumber(all.toSpliced(index, 0, more), 'c');
    },
  ],
  'ends without a trace, and no sidecar was killed': [
    'end',
    (all) => all.filter((entry) => !('link' in entry && entry.link === 'sidecar process:0')),
  ],
  'gives more than the observer got, and no daemon was killed': [
    'virtual synchrony',
    (all) => all.filter((entry) => entry.kind !== 'observerLost'),
  ],
  'gives what is known after what only it got': [
    'view',
    (all) => swap(all, at(all, 'c', 'c:4'), at(all, 'c', 'c:last')),
  ],
  'lives on when its daemon was killed': [
    'view',
    (all) => {
      const index = all.findIndex((entry) => entry.kind === 'observer' && entry.number === 4) + 1;
      const { event } = all[index] as Observed;
      const last = all.findLast((entry): entry is EventEntry => isEvent(entry, 'c'))!;
      return all.toSpliced(index + 1, 0, { ...last, sequence: last.sequence + 1, event });
    },
  ],
};

/** Defects of daemons. */
const daemonDefects: typeof defects = {
  'gives members that move together different messages': [
    'virtual synchrony',
    (all) => dropAt(all, 2, 'b', 'a:1'),
  ],
  'loses a reliable message': [
    'virtual synchrony',
    (all) => renumber(without(without(all, at(all, 'a', 'b:2')), sightOf(all, 1, 'b:2')), 'a'),
  ],
  'gives agreed messages in different orders': [
    'total order',
    (all) => {
      const swapped = swap(all, at(all, 'b', 'a:1'), at(all, 'b', 'b:1'));
      return swap(swapped, sightOf(all, 2, 'a:1'), sightOf(all, 2, 'b:1'));
    },
  ],
  'gives no signal before a cut': [
    'view',
    (all) => {
      const left = without(all, where(all, 3, 'transitional'));
      return renumber(without(left, where(left, 'c', 'transitional')), 'c');
    },
  ],
  'gives a view with other members': [
    'view',
    (all) => change(all, where(all, 2, 'network'), { members: ['#b#d2', '#o2#d2'], own: 1 }),
  ],
  'lets only one side say that they came together': [
    'view',
    (all) => {
      const index = where(all, 2, 'network', 2);
      const { event } = all[index] as Observed;
      if (event.is !== 'view') throw new Error('no view');
      const sets = event.sets!.flatMap((set) =>
        set.includes('#o2#d2') ? [['#o2#d2'], set.filter((name) => name !== '#o2#d2')] : [set],
      );
      const ownSet = sets.findIndex((set) => set.includes('#o2#d2'));
      return change(all, index, { sets, ownSet });
    },
  ],
  'puts a member into a set of others': [
    'view',
    (all) => change(all, where(all, 3, 'network', 2), { ownSet: 0 }),
  ],
};

describe('the checker, with daemons that lose each other', () => {
  it('finds nothing in a valid history', () => {
    expect(check(goodHistory())).toEqual([]);
  });

  describe('when a daemon repeats the ID of a view', () => {
    it('finds nothing if the daemon was killed once, and its new view reaches other observers only', () => {
      const all = restartedFirst();
      expect(check(all)).toEqual([]);
      expect(check(giveAgain(all, viewId(all, 2, 'JOIN'), viewId(all, 4, 'JOIN')))).toEqual([]);
    });

    it('finds nothing if the daemon was killed once, and both views reach the same observers', () => {
      const all = restartedFirst();
      expect(check(giveAgain(all, viewId(all, 2, 'NETWORK'), viewId(all, 2, 'NETWORK', -2)))).toEqual([]);
    });

    it('finds nothing if the daemon was killed once, and observers got the signals of both in different orders', () => {
      const all = restartedFirst();
      const again = giveAgain(all, viewId(all, 2, 'JOIN', -1), viewId(all, 3, 'NETWORK', -5));
      expect(check(again)).toEqual([]);
    });

    it.each([
      ['JOIN', 2, 'JOIN', 4, 0],
      ['NETWORK', 2, 'NETWORK', 2, -2],
    ] as const)(
      'finds it, of views by %s, if no daemon was killed',
      (cause, by, otherCause, otherBy, nth) => {
        const all = restartedFirst();
        const again = giveAgain(all, viewId(all, by, cause), viewId(all, otherBy, otherCause, nth));
        const withoutKill = again.filter((entry) => !('fault' in entry && entry.fault === 'kill'));
        expect(differs(withoutKill, viewId(all, by, cause))).toBe(true);
      },
    );

    it('reports it if only another daemon was killed', () => {
      const all = goodHistory();
      const again = giveAgain(all, viewId(all, 1, 'NETWORK', 1), viewId(all, 1, 'NETWORK', -1));
      expect(differs(again, viewId(all, 1, 'NETWORK', 1))).toBe(true);
    });

    it('reports it if the daemon was killed before it created either of them', () => {
      const all = restartedFirst();
      const kills = all.filter((entry) => 'fault' in entry && entry.fault === 'kill');
      const early = [all[0]!, ...kills, ...all.slice(1).filter((entry) => !kills.includes(entry))];
      const again = giveAgain(early, viewId(all, 2, 'JOIN'), viewId(all, 4, 'JOIN'));
      const renumbered = again.map((entry, i) => ({ ...entry, at: i }));
      expect(differs(renumbered, viewId(all, 2, 'JOIN'))).toBe(true);
    });
  });

  it('finds nothing when a reliable message comes after a view at one daemon and before it at another', () => {
    const all = goodHistory();
    const heal = where(all, 'a', 'network', 2);
    const late = [at(all, 'a', 'b:2'), sightOf(all, 1, 'b:2')];
    const moved = late.map((index) => all[index]!);
    const left = all.toSpliced(heal + 1, 0, ...moved).filter((_, index) => !late.includes(index));
    expect(left).toHaveLength(all.length);
    expect(check(renumber(left, 'a'))).toEqual([]);
  });

  it('finds nothing when a mailbox was just being opened as its sidecar was killed', () => {
    const early = (entry: Timed) => entry.kind === 'fault' && entry.link === 'sidecar process:0';
    const all = goodHistory().map((entry) => (early(entry) ? { ...entry, at: 0 } : entry));
    expect(check(all)).toEqual([]);
  });

  it.each(Object.entries(defects))('finds a sidecar that %s', (_, [rule, injure]) => {
    expect(check(injure(goodHistory())).map((violation) => violation.rule)).toContain(rule);
  });

  it.each(Object.entries(daemonDefects))('finds a daemon that %s', (_, [rule, injure]) => {
    expect(check(injure(goodHistory())).map((violation) => violation.rule)).toContain(rule);
  });
});
