import {
  AGREED_MESS,
  CAUSAL_MESS,
  FIFO_MESS,
  MAX_CLIENT_SCATTER_ELEMENTS,
  REGULAR_MESS,
  RELIABLE_MESS,
  SAFE_MESS,
  SELF_DISCARD,
  UNRELIABLE_MESS,
} from 'spread-sidecar-client';
import { MulticastRequest, ServiceType } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { next, refused, world } from '../support/clients/spread-api.js';
import { call, message } from '../support/sidecars/sidecar-calls.js';

/** Alice and Bob. Bob is in the groups. */
async function aliceAndBob(...groups: string[]) {
  const { running, spread } = await world();
  const alice = await spread.connect({ privateName: 'alice' });
  const bob = await spread.connect({ privateName: 'bob' });
  for (const group of groups) await bob.join(group, { awaitView: true });
  return { running, alice, bob };
}

describe('multicast of the C API', () => {
  it('SP_multicast: sends to a group without membership, and returns the number of bytes', async () => {
    const { running, alice, bob } = await aliceAndBob('room');
    const sent = await call(running.client, 'multicast', {
      mailboxId: alice.id,
      message: message('room', 'hello', { serviceType: ServiceType.FIFO, messageType: -7 }),
    });
    expect(sent).toEqual({ bytesSent: 5 });
    expect(await alice.multicast(SAFE_MESS, 'room', Buffer.from([0, 255]), 32_767)).toBe(2);
    expect(await next(bob, 'regular')).toMatchObject({
      sender: '#alice#localhost',
      groups: ['room'],
      serviceType: FIFO_MESS,
      messageType: -7,
      payload: Buffer.from('hello'),
    });
    expect(await next(bob, 'regular')).toMatchObject({
      serviceType: SAFE_MESS,
      messageType: 32_767,
      payload: Buffer.from([0, 255]),
    });
  });

  it('SP_scat_multicast: the caller joins the pieces', async () => {
    const { alice, bob } = await aliceAndBob('room');
    const pieces = ['one', '', 'two'].map((piece) => Buffer.from(piece));
    expect(await alice.multicast(AGREED_MESS, 'room', Buffer.concat(pieces))).toBe(6);
    expect((await next(bob, 'regular')).text()).toBe('onetwo');
  });

  it('SP_multigroup_multicast: one copy for each receiver, with every destination in order', async () => {
    const { alice, bob } = await aliceAndBob('cats', 'dogs');
    const groups = ['dogs', 'nobody', 'cats', '#bob#localhost'];
    expect(await alice.multigroupMulticast(AGREED_MESS, groups, 'all')).toBe(3);
    await alice.multicast(AGREED_MESS, 'cats', 'after');
    expect(await next(bob, 'regular')).toMatchObject({ groups, payload: Buffer.from('all') });
    expect((await next(bob, 'regular')).text()).toBe('after');
  });

  it('SP_multigroup_scat_multicast: the caller joins the pieces', async () => {
    const { alice, bob } = await aliceAndBob('cats');
    const pieces = [Buffer.from('a'), Buffer.from('b')];
    expect(await alice.multigroupMulticast(AGREED_MESS, ['cats', 'dogs'], Buffer.concat(pieces))).toBe(2);
    expect(await next(bob, 'regular')).toMatchObject({
      groups: ['cats', 'dogs'],
      payload: Buffer.from('ab'),
    });
  });

  it('scatter: the payload is one field of the request', () => {
    const request = MulticastRequest.fromPartial({ message: message('room', 'one piece') });
    expect(request.message?.payload).toEqual(Buffer.from('one piece'));
  });

  it('scat_element: a view into a larger buffer is sent without the rest of the buffer', async () => {
    const { alice, bob } = await aliceAndBob('room');
    const large = new Uint8Array([1, 2, 3, 4, 5]);
    await alice.multicast(AGREED_MESS, 'room', large.subarray(1, 3));
    expect((await next(bob, 'regular')).payload).toEqual(Buffer.from([2, 3]));
  });

  it('MAX_CLIENT_SCATTER_ELEMENTS: does not limit the number of pieces', async () => {
    const { alice, bob } = await aliceAndBob('room');
    const pieces = Array.from({ length: MAX_CLIENT_SCATTER_ELEMENTS + 1 }, (_, i) => Buffer.from([i]));
    await alice.multicast(AGREED_MESS, 'room', Buffer.concat(pieces));
    expect((await next(bob, 'regular')).payload).toHaveLength(101);
  });

  it('service: exactly one service type, with or without SELF_DISCARD', async () => {
    const { alice } = await aliceAndBob();
    for (const bits of [0, REGULAR_MESS, AGREED_MESS | SAFE_MESS, AGREED_MESS | 0x80])
      expect((await refused(alice.multicast(bits, 'room', ''))).code).toBe('ILLEGAL_SERVICE');
    expect(await alice.multicast(AGREED_MESS | SELF_DISCARD, 'room', '')).toBe(0);
  });
});

describe('service types', () => {
  it.each([
    ['UNRELIABLE_MESS', UNRELIABLE_MESS, ServiceType.UNRELIABLE],
    ['RELIABLE_MESS', RELIABLE_MESS, ServiceType.RELIABLE],
    ['FIFO_MESS', FIFO_MESS, ServiceType.FIFO],
    ['CAUSAL_MESS', CAUSAL_MESS, ServiceType.CAUSAL],
    ['AGREED_MESS', AGREED_MESS, ServiceType.AGREED],
    ['SAFE_MESS', SAFE_MESS, ServiceType.SAFE],
  ])('%s: arrives with that service type', async (name, bits, serviceType) => {
    const { running, alice, bob } = await aliceAndBob('room');
    await alice.multicast(bits, 'room', 'by bits');
    await call(running.client, 'multicast', {
      mailboxId: alice.id,
      message: message('room', 'by name', { serviceType }),
    });
    for (const text of ['by bits', 'by name']) {
      const event = await next(bob, 'regular');
      expect(event.text()).toBe(text);
      expect([event.serviceType, event.spreadType]).toEqual([bits, bits]);
      expect(`${event.serviceTypeName}_MESS`).toBe(name);
    }
  });

  it('SELF_DISCARD: no copy to the sender; other receivers see the flag', async () => {
    const { alice, bob } = await aliceAndBob('room');
    await alice.join('room', { awaitView: true });
    await alice.multicast(AGREED_MESS | SELF_DISCARD, 'room', 'not to me');
    await alice.multicast(AGREED_MESS, 'room', 'to all');
    expect((await next(alice, 'regular')).text()).toBe('to all');
    const seen = await next(bob, 'regular');
    expect(seen).toMatchObject({ selfDiscard: true, serviceType: AGREED_MESS, spreadType: 0x50 });
  });
});

describe('multicast of the Python wrapper', () => {
  it('MailboxType.multicast: the default message type is 0', async () => {
    const { alice, bob } = await aliceAndBob('room');
    expect(await alice.multicast(RELIABLE_MESS, 'room', 'text')).toBe(4);
    expect(await alice.multicast(RELIABLE_MESS, 'room', 'text', -32_768)).toBe(4);
    expect((await next(bob, 'regular')).messageType).toBe(0);
    expect((await next(bob, 'regular')).messageType).toBe(-32_768);
  });

  it('MailboxType.multigroup_multicast: several groups, one message', async () => {
    const { alice, bob } = await aliceAndBob('cats', 'dogs');
    expect(await alice.multigroupMulticast(RELIABLE_MESS, ['cats', 'dogs'], 'pets', 3)).toBe(4);
    expect(await next(bob, 'regular')).toMatchObject({ groups: ['cats', 'dogs'], messageType: 3 });
  });
});
