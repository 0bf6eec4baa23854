import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmbeddedDaemon, listen } from '../../server/src/daemon/index.js';
import { encodeDisconnect, type Message } from '../../server/src/spread/wire/index.js';
import { RawClient } from '../support/daemons/raw-client.js';
import { until } from '../support/until.js';

/**
 * Many clients act concurrently, so the order in which the daemon processes their requests is unknown. An observer
 * that is in every group, and among the receivers of every message, sees that order. From it, a simple model
 * derives all events that every other client must have received.
 */

const groups = ['alpha', 'beta', 'Gamma'];
const names = ['a', 'B', 'c', 'd', 'e'];

type Step = { readonly client: number; readonly yields: boolean } & (
  | { readonly what: 'join' | 'leave'; readonly group: string }
  | {
      readonly what: 'multicast';
      readonly groups: readonly string[];
      readonly to: readonly number[];
      readonly selfDiscard: boolean;
    }
  | { readonly what: 'disconnect' | 'abort' | 'halfClose' }
);

const client = fc.nat({ max: names.length - 1 });
const yields = fc.boolean();
const group = fc.constantFrom(...groups);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('join' as const), client, yields, group }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('leave' as const), client, yields, group }) },
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constant('multicast' as const),
      client,
      yields,
      groups: fc.uniqueArray(group, { maxLength: 3 }),
      to: fc.uniqueArray(client, { maxLength: 2 }),
      selfDiscard: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constantFrom('disconnect' as const, 'abort' as const, 'halfClose' as const),
      client,
      yields,
    }),
  },
);

interface Actor {
  readonly client: RawClient;
  readonly membership: boolean;
  sent: number;
  gone: boolean;
}

/** A message as one line of text, which must be equal for all receivers. */
function line(message: Message): string {
  switch (message.kind) {
    case 'view':
      return `view ${message.group} ${message.cause} ${message.changed} of ${message.members} id ${message.groupId.words}`;
    case 'selfLeave':
      return `selfLeave ${message.group}`;
    case 'regular':
      return `message ${message.payload.toString('latin1')} to ${message.groups}`;
    default:
      throw new Error(`a single daemon sends no ${message.kind}`);
  }
}

/** The events that each client must have received when the observer saw `seen`. */
function expectation(seen: readonly Message[], actors: readonly Actor[]): Map<string, string[]> {
  const all = new Map(actors.map((actor) => [actor.client.privateGroup, actor]));
  const expected = new Map(actors.map((actor) => [actor.client.privateGroup, [] as string[]]));
  const members = new Map<string, Set<string>>(groups.map((name) => [name, new Set()]));
  const give = (receivers: Iterable<string>, text: string, onlyMembership: boolean) => {
    for (const receiver of receivers)
      if (!onlyMembership || all.get(receiver)?.membership) expected.get(receiver)?.push(text);
  };
  for (const message of seen) {
    if (message.kind === 'view') {
      const set = members.get(message.group)!;
      const [changed] = message.changed;
      if (message.cause === 'JOIN') set.add(changed!);
      else set.delete(changed!);
      expect([...set].sort()).toEqual(message.members.filter((name) => all.has(name)));
      if (message.cause === 'LEAVE') give([changed!], `selfLeave ${message.group}`, true);
      give(set, line(message), true);
    } else if (message.kind === 'regular') {
      const receivers = new Set(message.groups.flatMap((name) => [...(members.get(name) ?? [name])]));
      if (message.selfDiscard) receivers.delete(message.sender);
      give(receivers, line(message), false);
    }
  }
  return expected;
}

function act(actor: Actor, todo: Step, actors: readonly Actor[], witness: RawClient): void {
  const { client: self } = actor;
  switch (todo.what) {
    case 'join':
      self.join(todo.group);
      return;
    case 'leave':
      self.leave(todo.group);
      return;
    case 'multicast':
      self.multicast({
        groups: [
          witness.privateGroup,
          ...todo.groups,
          ...todo.to.map((index) => actors[index]!.client.privateGroup),
        ],
        text: `${self.privateGroup} ${++actor.sent}`,
        selfDiscard: todo.selfDiscard,
      });
      return;
  }
  actor.gone = true;
  if (todo.what === 'abort') self.abort();
  else if (todo.what === 'halfClose') self.stream.socket.end();
  else self.send(encodeDisconnect(self.privateGroup));
}

/** Waits until the daemon has processed all requests, and all clients have received everything. */
async function settled(daemon: EmbeddedDaemon, actors: readonly Actor[], witness: RawClient): Promise<void> {
  const here = actors.filter(({ gone }) => !gone);
  await until(() => daemon.counters().sessions === here.length + 1, { what: 'the end of those who went' });
  const ends = (receiver: RawClient, text: string) =>
    receiver.received.some((m) => m.kind === 'regular' && m.payload.toString('latin1') === text);
  for (const { client: each } of here)
    each.multicast({ groups: [witness.privateGroup], text: `end ${each.privateGroup}` });
  for (const { client: each } of here) await until(() => ends(witness, `end ${each.privateGroup}`));
  witness.multicast({
    groups: [witness.privateGroup, ...here.map((actor) => actor.client.privateGroup)],
    text: 'end',
  });
  for (const { client: each } of here) await until(() => ends(each, 'end'));
  await until(() => ends(witness, 'end'));
}

const isEnd = (message: Message) =>
  message.kind === 'regular' && message.payload.toString('latin1').startsWith('end');

async function run(todo: readonly Step[]): Promise<void> {
  const daemon = new EmbeddedDaemon();
  const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 } });
  const where = { host: '127.0.0.1', port: listening.tcpPort! };
  const connected: RawClient[] = [];
  const connect = async (name: string, membership = true) => {
    const client = await RawClient.connect(where, { name, membership });
    connected.push(client);
    return client;
  };
  try {
    const witness = await connect('witness');
    witness.join(...groups);
    for (const _ of groups) await witness.nextView();
    const actors: Actor[] = [];
    for (const [i, name] of names.entries()) {
      const membership = i !== 2;
      actors.push({
        client: await connect(name, membership),
        membership,
        sent: 0,
        gone: false,
      });
    }
    for (const each of todo) {
      const actor = actors[each.client]!;
      if (!actor.gone) act(actor, each, actors, witness);
      if (each.yields) await new Promise((resolve) => setImmediate(resolve));
    }
    await settled(daemon, actors, witness);
    check(
      witness.received.filter((message) => !isEnd(message)),
      actors,
    );
  } finally {
    for (const client of connected) client.abort();
    await listening.close();
    await daemon.close();
  }
}

function check(seen: readonly Message[], actors: readonly Actor[]): void {
  const expected = expectation(seen, actors);
  for (const { client: each, gone, sent } of actors) {
    const got = each.received.filter((message) => !isEnd(message)).map(line);
    const wanted = expected.get(each.privateGroup)!;
    // A client that ended may miss only the last events.
    expect(got).toEqual(gone ? wanted.slice(0, got.length) : wanted);

    const own = seen.filter((message) => message.kind === 'regular' && message.sender === each.privateGroup);
    const numbers = own.map((message) =>
      Number((message as { payload: Buffer }).payload.toString().split(' ')[1]),
    );
    // FIFO order and no duplicates. Only an abrupt end may have lost messages.
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    if (!gone) expect(numbers).toHaveLength(sent);
  }
  disconnectsAreWhole(seen);
}

/** The views of one client's end are consecutive, in byte order of the groups. */
function disconnectsAreWhole(seen: readonly Message[]): void {
  const ended = new Map<string, number>();
  let previous = '';
  for (const [i, message] of seen.entries()) {
    if (message.kind !== 'view' || message.cause !== 'DISCONNECT') continue;
    const [who] = message.changed as [string];
    const last = ended.get(who);
    if (last !== undefined) {
      expect(last).toBe(i - 1);
      expect(previous < message.group).toBe(true);
    }
    ended.set(who, i);
    previous = message.group;
  }
}

describe('the embedded daemon under many clients', () => {
  it('delivers the events to all members in one order', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }), run), {
      numRuns: 150,
    });
  }, 120_000);
});
