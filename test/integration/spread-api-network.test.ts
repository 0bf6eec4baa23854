import {
  AGREED_MESS,
  CAUSED_BY_JOIN,
  CAUSED_BY_LEAVE,
  CAUSED_BY_NETWORK,
  ENDIAN_RESERVED,
  REJECT_MESS,
  RELIABLE_MESS,
  RESERVED,
  SAFE_MESS,
  type SpreadEvent,
} from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { next, recordedMailbox, refused, world } from '../support/clients/spread-api.js';

// Events that a single embedded daemon never sends: the tests play recordings of Spread 5.0.1 to the sidecar. In
// 81-partition-merge, the network of three daemons is partitioned and merged, as seen by a1 and a3. In
// 74-reject-messages, a policy rejects messages.

/** The view after d3 was lost, and the view after it returned. */
async function networkViews(clientId: string) {
  const mailbox = await recordedMailbox('81', clientId);
  const views = [];
  while (views.length < 2) {
    const view = await next(mailbox, 'view');
    if (view.cause === 'NETWORK') views.push(view);
  }
  return views as [(typeof views)[0], (typeof views)[0]];
}

const LARGER = ['#a1#d1', '#b1#d1', '#a2#d2'];
const ALL = [...LARGER, '#a3#d3'];

describe('views of several daemons', () => {
  it('CAUSED_BY_NETWORK: reason of a view after daemons were lost or found', async () => {
    const [cut, healed] = await networkViews('a1');
    expect([cut.reason, healed.reason]).toEqual([CAUSED_BY_NETWORK, CAUSED_BY_NETWORK]);
    expect([cut.members, healed.members]).toEqual([LARGER, ALL]);
    expect([cut.changedMembers, healed.changedMembers]).toEqual([[], ['#a3#d3']]);
  });

  it('TRANSITION_MESS: a signal with the ID of the ending view, then the NETWORK view', async () => {
    const mailbox = await recordedMailbox('81', 'a1');
    const events: SpreadEvent[] = [];
    while (events.at(-1)?.kind !== 'transitional') events.push(await mailbox.receive({ timeoutMs: 5000 }));
    const signal = events.at(-1);
    const before = events.filter((event) => event.kind === 'view' && event.group === 'net').at(-1);
    expect(signal).toMatchObject({ group: 'net', reason: 0, members: [], changedMembers: [] });
    expect(before).toMatchObject({ members: ALL, groupId: (signal as { groupId?: unknown }).groupId });
    expect(await mailbox.receive()).toMatchObject({ kind: 'view', cause: 'NETWORK', group: 'net' });
  });

  it('SP_get_vs_sets_info: the members that moved together, and the own set', async () => {
    const [cut, healed] = await networkViews('a1');
    expect(cut.sets).toEqual([{ members: LARGER, mine: true }]);
    expect(healed.sets).toEqual([
      { members: ['#a3#d3'], mine: false },
      { members: LARGER, mine: true },
    ]);
    const [, other] = await networkViews('a3');
    expect(other.sets.map(({ mine }) => mine)).toEqual([true, false]);
  });

  it('SP_get_vs_set_members: each set has its members', async () => {
    const [, healed] = await networkViews('a3');
    expect(healed.sets.map(({ members }) => members)).toEqual([['#a3#d3'], LARGER]);
    expect(healed.changedMembers).toEqual(LARGER);
  });

  it('membership_info.num_vs_sets: the number of sets', async () => {
    const [cut, healed] = await networkViews('a1');
    expect([cut.sets.length, healed.sets.length]).toEqual([1, 2]);
  });

  it('membership_info.my_vs_set: exactly one set is marked', async () => {
    for (const clientId of ['a1', 'a3'])
      for (const { sets, members, ownIndex } of await networkViews(clientId)) {
        const mine = sets.filter((set) => set.mine);
        expect(mine).toHaveLength(1);
        expect(mine[0]!.members).toContain(members[ownIndex]);
      }
  });

  it('vs_set_info: the sets partition the members', async () => {
    const [, healed] = await networkViews('a1');
    expect(healed.sets.flatMap(({ members }) => members).sort()).toEqual([...healed.members].sort());
  });

  it.each(['SP_scat_get_memb_info', 'SP_scat_get_vs_sets_info', 'SP_scat_get_vs_set_members'])(
    '%s: a view always arrives complete',
    async () => {
      const [, healed] = await networkViews('a1');
      expect(healed).toMatchObject({ members: ALL, groupId: { index: 1 }, cause: 'NETWORK' });
      expect(healed.sets.map(({ members }) => members.length)).toEqual([1, 3]);
    },
  );
});

describe('messages that were rejected', () => {
  it('REJECT_MESS: a rejected message comes back with its original type', async () => {
    const mailbox = await recordedMailbox('74', 'a');
    const events = [];
    for (let i = 0; i < 5; i++) events.push(await next(mailbox, 'rejected'));
    expect(events.map(({ operation, serviceType, groups }) => [operation, serviceType, groups])).toEqual([
      ['JOIN', 0, ['denyme']],
      ['LEAVE', 0, ['denyme']],
      ['MULTICAST', RELIABLE_MESS, ['denyA', 'other']],
      ['MULTICAST', AGREED_MESS, ['#deny#localhost']],
      ['MULTICAST', SAFE_MESS, ['denyA']],
    ]);
    expect(events.map(({ spreadType }) => spreadType)).toEqual(
      [CAUSED_BY_JOIN, CAUSED_BY_LEAVE, RELIABLE_MESS, AGREED_MESS, SAFE_MESS].map(
        (type) => type | REJECT_MESS,
      ),
    );
    expect(events[2]).toMatchObject({
      sender: '#a#localhost',
      messageType: 7,
      payload: Buffer.from('hello'),
    });
  });
});

describe('type words', () => {
  /** The type words of the messages that b received in 58-extra-type-bits. */
  async function words() {
    const mailbox = await recordedMailbox('58', 'b');
    const found = [];
    for (let i = 0; i < 5; i++) found.push((await next(mailbox, 'regular')).spreadType);
    return found;
  }

  it('ENDIAN_RESERVED: the marker of the wire format is removed', async () => {
    for (const word of await words()) expect((word & ENDIAN_RESERVED) >>> 0).toBe(0);
  });

  it('RESERVED: no message can be sent with a reserved bit of Spread, and none of these has one', async () => {
    for (const word of await words()) expect(word & RESERVED).toBe(0);
    const { spread } = await world();
    const mailbox = await spread.connect();
    for (let bit = 1; bit <= RESERVED; bit *= 2)
      if (bit & RESERVED)
        expect((await refused(mailbox.multicast(AGREED_MESS | bit, 'room', ''))).code).toBe(
          'ILLEGAL_SERVICE',
        );
  });

  it('FL_*: messages of the flush library arrive with their bits, which the sidecar cannot send', async () => {
    expect(await words()).toEqual(
      [0x0100_0000, 0x0200_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000].map((bits) => bits | RELIABLE_MESS),
    );
    const types = await recordedMailbox('48', 'a');
    const found = [];
    for (let i = 0; i < 8; i++) found.push((await next(types, 'regular')).messageType);
    expect(found).toContain(-32_768);
    const error = await refused(types.multicast(AGREED_MESS | 0x4000_0000, 'room', ''));
    expect(error.code).toBe('ILLEGAL_SERVICE');
  });
});
