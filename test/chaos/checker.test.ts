import { describe, expect, it } from 'vitest';
import { check } from './checker.js';
import type { Rule } from './checks/violation.js';
import type { Timed } from './history.js';
import { at, change, type EventEntry, isEvent, renumber, swap, without } from './injuries.js';
import { ScriptedHistory } from './scripted-history.js';

/** A valid history: three members, all service types, membership changes, a takeover, and a lost mailbox. */
function goodHistory(): Timed[] {
  const script = new ScriptedHistory(['g', 'h']);
  const [a, b, c, lost] = [
    script.connect('a'),
    script.connect('b'),
    script.connect('c'),
    script.connect('lost'),
  ];
  for (const box of [a, b, c, lost]) script.join(box, 'g');
  script.join(a, 'h');
  script.join(b, 'h');
  for (const service of ['UNRELIABLE', 'RELIABLE', 'FIFO', 'CAUSAL', 'AGREED', 'SAFE'] as const) {
    script.send(a, ['g'], service);
    script.send(b, ['g', 'h'], service, { stream: 1 });
    script.send(c, ['h'], service);
  }
  script.send(a, ['g'], 'AGREED', { selfDiscard: true });
  script.send(a, ['no group'], 'FIFO', { outcome: 'refused' });
  script.send(b, ['g'], 'SAFE', { outcome: 'unknown' });
  script.send(b, ['g'], 'SAFE', { outcome: 'unknown', delivered: false });
  script.send(a, ['#c#localhost'], 'FIFO');
  script.handOver(a, 3);
  script.send(lost, ['g'], 'AGREED');
  script.fault('daemon:3', 'cut');
  // The sidecar's kernel accepted them, but the network lost them.
  script.send(lost, ['g'], 'AGREED', { delivered: false });
  script.lose(lost);
  script.send(c, ['g'], 'SAFE');
  script.leave(b, 'g');
  script.send(a, ['g', 'h'], 'AGREED');
  script.send(b, ['g'], 'AGREED');
  script.join(b, 'g');
  script.send(b, ['g'], 'SAFE');
  script.fault('app:0', 'reset');
  script.attach(a);
  script.send(c, ['g'], 'AGREED');
  script.send(a, ['g'], 'AGREED');
  const d = script.connect('d');
  script.join(d, 'g');
  script.send(d, ['g'], 'SAFE');
  script.fault('daemon:4', 'reset');
  // In flight when the connection broke.
  script.send(d, ['g'], 'FIFO', { delivered: false });
  script.reconnect(d);
  script.send(d, ['g'], 'FIFO');
  script.send(a, ['g'], 'FIFO');
  return script.end();
}

const viewAt = (entries: readonly Timed[], box: string, cause: string) =>
  entries.findIndex(
    (entry) => isEvent(entry, box) && entry.event.is === 'view' && entry.event.cause === cause,
  );

/** Repeats a message of one mailbox at the end. */
function again(entries: Timed[], box: string, id: string): Timed[] {
  const copy = entries[entries.findIndex((entry) => isSeen(entry, id))] as Timed & {
    event: EventEntry['event'];
  };
  const last = entries.findLastIndex((entry) => isEvent(entry, box));
  const { reader, sequence } = entries[last] as EventEntry;
  const more: Timed = { at: 0, kind: 'event', box, reader, sequence: sequence + 1, event: copy.event };
  return entries.toSpliced(last + 1, 0, more);
}

const isSeen = (entry: Timed, id: string) =>
  (entry.kind === 'event' || entry.kind === 'observed') &&
  entry.event.is === 'message' &&
  entry.event.id === id;

const nowhere = (entries: Timed[], id: string) => {
  let left = entries.filter((entry) => !isSeen(entry, id));
  for (const box of ['b', 'c', 'lost']) left = renumber(left, box);
  return left;
};

/** Defects, and the guarantees that they break. Each changes a valid history. */
const defects: Record<string, [Rule, (entries: Timed[]) => Timed[]]> = {
  'drops an event': ['gap', (all) => without(all, at(all, 'c', 'b:3'))],
  'drops an event before it is numbered': [
    'virtual synchrony',
    (all) => renumber(without(all, at(all, 'c', 'b:3')), 'c'),
  ],
  'drops the last event': ['virtual synchrony', (all) => renumber(without(all, at(all, 'c', 'a:10')), 'c')],
  'drops an event of a mailbox that is lost later': [
    'virtual synchrony',
    (all) => renumber(without(all, at(all, 'lost', 'b:4')), 'lost'),
  ],
  'gives an event twice': [
    'duplicate',
    (all) => all.toSpliced(at(all, 'c', 'b:3'), 0, all[at(all, 'c', 'b:3')]!),
  ],
  'numbers an event twice': [
    'duplicate',
    (all) => renumber(all.toSpliced(at(all, 'c', 'b:3'), 0, all[at(all, 'c', 'b:3')]!), 'c'),
  ],
  'swaps two events with their numbers': [
    'order',
    (all) => {
      const [one, other] = [at(all, 'c', 'a:3'), at(all, 'c', 'b:3')];
      return all.with(one, all[other]!).with(other, all[one]!);
    },
  ],
  'swaps two messages of a sender': ['order', (all) => swap(all, at(all, 'c', 'a:3'), at(all, 'c', 'a:4'))],
  'swaps two messages of a stream': ['order', (all) => swap(all, at(all, 'c', 'b:3'), at(all, 'c', 'b:4'))],
  'swaps two agreed messages at one member': [
    'total order',
    (all) => swap(all, at(all, 'c', 'a:5'), at(all, 'c', 'b:5')),
  ],
  'loses a view': ['view', (all) => renumber(without(all, viewAt(all, 'c', 'DISCONNECT')), 'c')],
  'gives a view with another member': [
    'view',
    (all) =>
      change(all, viewAt(all, 'c', 'DISCONNECT'), {
        members: ['#a#localhost', '#b#localhost', '#c#localhost'],
      }),
  ],
  'puts a member at the wrong place': [
    'view',
    (all) => change(all, viewAt(all, 'c', 'DISCONNECT'), { own: 0 }),
  ],
  'gives a view that nobody else got': [
    'view',
    (all) => change(all, viewAt(all, 'c', 'DISCONNECT'), { id: '1 1 99' }),
  ],
  'delivers a message across a view': [
    'virtual synchrony',
    (all) => {
      const [message, view] = [at(all, 'c', 'lost:1'), viewAt(all, 'c', 'DISCONNECT')];
      return swap(all, message, view);
    },
  ],
  'withholds a message from its sender': [
    'self-delivery',
    (all) => renumber(without(all, at(all, 'c', 'c:7')), 'c'),
  ],
  'gives a sender a copy that it did not want': ['content', (all) => again(all, 'a', 'a:7')],
  'delivers to one that is no member': ['content', (all) => again(all, 'c', 'c:3')],
  'changes a byte': ['content', (all) => change(all, at(all, 'c', 'b:3'), { sum: 1 })],
  'changes the sender': ['content', (all) => change(all, at(all, 'c', 'b:3'), { sender: '#a#localhost' })],
  'invents a message': ['content', (all) => change(all, at(all, 'c', 'b:3'), { id: 'b:77' })],
  'gives something else the second time': [
    'content',
    (all) => {
      const index = all.findLastIndex((entry) => isEvent(entry, 'a', 'b:7'));
      return change(all, index, { service: 'FIFO' });
    },
  ],
  'answers OK and does not send': ['send', (all) => nowhere(all, 'c:6')],
  'answers OK, loses it, and sends what came after it': [
    'send',
    (all) => {
      const index = all.findIndex((entry) => entry.kind === 'send' && entry.id === 'lost:1');
      const earlier = { ...(all[index] as Extract<Timed, { kind: 'send' }>), id: 'lost:0' };
      return all.toSpliced(index, 0, earlier, {
        at: 0,
        kind: 'sent',
        box: 'lost',
        id: 'lost:0',
        outcome: 'ok',
      });
    },
  ],
  'refuses and sends all the same': [
    'send',
    (all) =>
      all.map((entry) =>
        entry.kind === 'sent' && entry.id === 'c:6' ? { ...entry, outcome: 'refused' } : entry,
      ),
  ],
  'never answers': ['send', (all) => all.filter((entry) => !(entry.kind === 'sent' && entry.id === 'c:6'))],
  'loses a private message': ['send', (all) => renumber(without(all, at(all, 'c', 'a:9')), 'c')],
  'ends in silence': [
    'end',
    (all) => all.filter((entry) => !(entry.kind === 'ended' && entry.box === 'lost')),
  ],
  'ends without a cause': [
    'end',
    (all) => all.filter((entry) => !('link' in entry && entry.link === 'daemon:3')),
  ],
  'ends with no reason that the contract has': [
    'end',
    (all) =>
      all.map((entry) =>
        entry.kind === 'ended' && entry.box === 'lost'
          ? { ...entry, failure: { ...entry.failure!, status: 'INTERNAL', reason: '' } }
          : entry,
      ),
  ],
  'ends before all was given': [
    'gap',
    (all) => all.slice(0, -1).filter((entry, i) => i !== lastOf(all, 'lost') || entry.kind !== 'event'),
  ],
  'fails a call without a fault': [
    'end',
    (all) => {
      const failure = { status: 'UNAVAILABLE', reason: '', message: 'connection lost' };
      return all.toSpliced(40, 0, { at: 40, kind: 'failed', box: 'b', app: 1, call: 'join', failure });
    },
  ],
  'reconnects in silence': [
    'view',
    (all) => {
      const silent = all.filter(
        (entry) => !(isEvent(entry, 'd') && (entry.event.is === 'lost' || entry.event.is === 'restored')),
      );
      return renumber(silent, 'd');
    },
  ],
  'loses a connection for no cause': [
    'end',
    (all) => all.filter((entry) => !('link' in entry && entry.link === 'daemon:4')),
  ],
  'forgets to join a group again': [
    'view',
    (all) => {
      const index = all.findIndex((entry) => isEvent(entry, 'd') && entry.event.is === 'restored');
      return change(all, index, { groups: ['g', 'h'] });
    },
  ],
  'sends again what an earlier session had sent': [
    'duplicate',
    (all) => {
      const copy = all.find((entry) => entry.kind === 'observed' && isSeen(entry, 'd:1'))!;
      return all.toSpliced(
        all.findIndex((entry) => entry.kind === 'settled'),
        0,
        copy,
      );
    },
  ],
  hangs: ['stuck', (all) => [...all, { at: 0, kind: 'stuck', box: 'c', missing: 'the last message' }]],
};

function lastOf(all: readonly Timed[], box: string): number {
  return all.findLastIndex((entry) => isEvent(entry, box));
}

describe('the checker', () => {
  it('finds nothing in a valid history', () => {
    expect(check(goodHistory())).toEqual([]);
  });

  it.each(['gives up', 'says goodbye'] as const)(
    'finds nothing when a mailbox loses its connection and its client %s before it reads that',
    (how) => {
      const script = new ScriptedHistory(['g']);
      const box = script.connect('a');
      script.join(box, 'g');
      script.fault('app:0', 'silence');
      script.fault('daemon:0', 'reset');
      script.send(box, ['g'], 'FIFO', { delivered: false });
      script.stopReading(box, how);
      script.send(box, ['g'], 'FIFO');
      expect(check(script.end())).toEqual([]);
    },
  );

  describe.each([
    ['a torn handshake', 'INVALID_ARGUMENT', 'REJECT_ILLEGAL_NAME', 'daemon:0'],
    ['a stall of the machine', 'UNAVAILABLE', '', 'app:0'],
  ])('takes %s', (_, status, reason, struck) => {
    function history(affects: readonly string[]): Timed[] {
      const script = new ScriptedHistory(['g']);
      script.connect('a');
      script.add({ kind: 'fault', link: 'machine', fault: 'any', detail: '', affects });
      script.add({ kind: 'healed', link: 'machine', fault: 'any' });
      const failure = { status, reason, message: 'any' };
      script.add({ kind: 'failed', box: 'b', app: 0, call: 'connect', failure });
      return script.end();
    }

    it('as what it is', () => {
      expect(check(history([struck]))).toEqual([]);
    });

    it('as a violation without one', () => {
      expect(check(history([])).map(({ rule }) => rule)).toEqual(['end']);
    });
  });

  it.each([
    ['accepts', 5, []],
    ['rejects', 0, ['end']],
  ])('%s a failure during a stall that was noticed %d ms after its start', (_, noticedAfterMs, rules) => {
    const script = new ScriptedHistory(['g']);
    script.connect('a');
    const failure = { status: 'UNAVAILABLE', reason: '', message: 'any' };
    script.add({ kind: 'failed', box: 'b', app: 0, call: 'connect', failure });
    const stall = { kind: 'fault', link: 'machine', fault: 'stall', detail: '', affects: ['app:0'] } as const;
    script.add({ ...stall, noticedAfterMs });
    script.add({ kind: 'healed', link: 'machine', fault: 'stall' });
    expect(check(script.end()).map(({ rule }) => rule)).toEqual(rules);
  });

  it.each(Object.entries(defects))('finds a sidecar that %s', (_, [rule, injure]) => {
    const violations = check(injure(goodHistory()));
    expect(violations.map((violation) => violation.rule)).toContain(rule);
  });
});
