import * as spread from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { next, recordedMailbox, refused, world } from '../support/clients/spread-api.js';
import { within } from '../support/until.js';

const { REG_MEMB_MESS } = spread;

/** The service type word of Spread's receive call for an event. */
function wordOf(event: spread.SpreadEvent): number {
  switch (event.kind) {
    case 'regular':
    case 'rejected':
      return event.spreadType;
    case 'view':
      return REG_MEMB_MESS | event.reason;
    case 'transitional':
      return spread.TRANSITION_MESS;
    case 'selfLeave':
      return event.reason;
    default:
      throw new Error(`${event.kind} is not one of Spread's`);
  }
}

let events: Promise<Record<string, spread.SpreadEvent>> | undefined;

/** One event of each kind, received through the whole path, once for all tests. */
function received(): Promise<Record<string, spread.SpreadEvent>> {
  events ??= receiveAll();
  return events;
}

async function receiveAll(): Promise<Record<string, spread.SpreadEvent>> {
  const { spread: sidecar } = await world();
  const alice = await sidecar.connect({ privateName: 'alice' });
  const bob = await sidecar.connect();
  const carol = await sidecar.connect();
  const events: Record<string, spread.SpreadEvent> = {};
  await alice.join('room', { awaitView: true });
  events.join = await next(alice, 'view');
  for (const other of [bob, carol]) {
    await other.join('room', { awaitView: true });
    await next(alice, 'view');
  }
  await bob.leave('room', { awaitView: true });
  events.leave = await next(alice, 'view');
  await carol.disconnect();
  events.disconnect = await next(alice, 'view');
  for (const [name, bits] of Object.entries(spread.SERVICE_TYPES)) {
    await bob.multicast(name === 'SAFE' ? bits | spread.SELF_DISCARD : bits, 'room', '');
    events[name] = await next(alice, 'regular');
  }
  await alice.leave('room');
  events.selfLeave = await next(alice, 'selfLeave');
  const cut = await recordedMailbox('81', 'a1');
  events.transitional = await next(cut, 'transitional');
  events.network = await next(cut, 'view');
  const denied = await recordedMailbox('74', 'a');
  events.rejectedJoin = await next(denied, 'rejected');
  await next(denied, 'rejected');
  events.rejectedMulticast = await next(denied, 'rejected');
  return events;
}

const VIEWS = ['join', 'leave', 'disconnect', 'network'];

describe('predicates of a type word', () => {
  it.each([
    ['Is_unreliable_mess', spread.isUnreliableMess, ['UNRELIABLE']],
    ['Is_reliable_mess', spread.isReliableMess, ['RELIABLE', 'rejectedMulticast']],
    ['Is_fifo_mess', spread.isFifoMess, ['FIFO']],
    ['Is_causal_mess', spread.isCausalMess, ['CAUSAL']],
    ['Is_agreed_mess', spread.isAgreedMess, ['AGREED']],
    ['Is_safe_mess', spread.isSafeMess, ['SAFE']],
    ['Is_regular_mess', spread.isRegularMess, Object.keys(spread.SERVICE_TYPES)],
    ['Is_self_discard', spread.isSelfDiscard, ['SAFE']],
    ['Is_reg_memb_mess', spread.isRegMembMess, VIEWS],
    ['Is_transition_mess', spread.isTransitionMess, ['transitional']],
    ['Is_caused_join_mess', spread.isCausedJoinMess, ['join', 'rejectedJoin']],
    ['Is_caused_leave_mess', spread.isCausedLeaveMess, ['leave', 'selfLeave']],
    ['Is_caused_disconnect_mess', spread.isCausedDisconnectMess, ['disconnect']],
    ['Is_caused_network_mess', spread.isCausedNetworkMess, ['network']],
    ['Is_membership_mess', spread.isMembershipMess, [...VIEWS, 'selfLeave', 'transitional']],
    ['Is_reject_mess', spread.isRejectMess, ['rejectedJoin', 'rejectedMulticast']],
    ['Is_self_leave', spread.isSelfLeave, ['selfLeave']],
  ])('%s: is true for the right events', async (_name, is, expected) => {
    const yes = Object.entries(await received()).filter(([, event]) => is(wordOf(event)));
    expect(yes.map(([name]) => name).sort()).toEqual([...expected].sort());
  });

  it.each([
    ['REGULAR_MESS', spread.REGULAR_MESS, ['regular']],
    ['REG_MEMB_MESS', spread.REG_MEMB_MESS, ['view']],
    ['MEMBERSHIP_MESS', spread.MEMBERSHIP_MESS, ['selfLeave', 'transitional', 'view']],
  ])('%s: is set in the words of its kinds of events', async (_name, bits, kinds) => {
    const events = Object.values(await received()).filter(({ kind }) => kind !== 'rejected');
    const found = new Set(events.filter((event) => wordOf(event) & bits).map(({ kind }) => kind));
    expect([...found].sort()).toEqual(kinds);
  });
});

describe('the event loop of the C API', () => {
  it('E_*: one loop serves many mailboxes with time limits, and wakes for the first event', async () => {
    const { spread: sidecar } = await world();
    const [alice, bob] = [await sidecar.connect(), await sidecar.connect()];
    const waits = [alice.receive(), bob.receive()];
    await bob.multicast(spread.FIFO_MESS, bob.privateGroup, 'first');
    const first = await within(Promise.race(waits), 'an event of any mailbox');
    expect(first).toMatchObject({ kind: 'regular', sender: bob.privateGroup });
    expect((await refused(bob.receive({ timeoutMs: 20 }))).statusName).toBe('DEADLINE_EXCEEDED');
    expect((await refused(bob.receive({ signal: AbortSignal.abort() }))).statusName).toBe('CANCELLED');
    await bob.multicast(spread.FIFO_MESS, alice.privateGroup, 'second');
    expect(await waits[0]).toMatchObject({ kind: 'regular', sender: bob.privateGroup });
  });
});
