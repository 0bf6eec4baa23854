import type { Event, MulticastMessage } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeEnvelope, openEnvelope } from '../../server/src/envelope/envelope.js';
import { Session } from '../../server/src/spread/session.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call, message, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

const MAGIC = Buffer.from('89535053480d0a', 'hex');
const HEADERS = new Map([
  ['content-type', 'text/plain; charset=utf-8'],
  ['name', 'Grüße'],
  ['__proto__', 'a header like any other'],
]);

/** A mailbox in the group room, and a native client in the same group. */
async function roomWithNativeClient(options: SidecarFixtureOptions = {}) {
  const sidecar = await startSidecar(options);
  const mailbox = await TestMailbox.open(sidecar.client);
  await mailbox.call('join', { group: 'room', awaitView: true });
  const native = await Session.connect({ address: sidecar.daemonAddress, privateName: 'native' });
  onTestFinished(() => native.disconnect());
  const nativePayloads: Buffer[] = [];
  let views = 0;
  native.start({
    onMessage: (received) => {
      if (received.kind === 'regular') nativePayloads.push(Buffer.from(received.payload));
      if (received.kind === 'view') views++;
    },
    onClose: () => {},
  });
  native.join('room');
  await until(() => views > 0, { what: 'the view of the native client' });
  const receiving = mailbox.receive();
  onTestFinished(() => receiving.cancel());
  const messages = async (count: number) => {
    await until(() => regular(receiving.events).length >= count, { what: `${count} messages` });
    return regular(receiving.events);
  };
  const natively = async (count: number) => {
    await until(() => nativePayloads.length >= count, { what: `${count} native payloads` });
    return nativePayloads;
  };
  return { sidecar, mailbox, native, messages, nativePayloads: natively };
}

const regular = (events: readonly Event[]) =>
  events.flatMap(({ kind }) =>
    kind?.$case === 'regularMessage' ? [{ headers: kind.value.headers, payload: kind.value.payload }] : [],
  );
const withHeaders = (headers: Map<string, string>, payload: Buffer): MulticastMessage => ({
  ...message('room', payload),
  headers,
});

describe('headers of messages', () => {
  it('arrive with unary messages and with batches, in an envelope that a native client can open', async () => {
    const { mailbox, messages, nativePayloads } = await roomWithNativeClient();
    const payload = Buffer.from('hello');
    expect(await mailbox.send('room', payload, { headers: HEADERS })).toEqual({ bytesSent: 5 });
    const stream = mailbox.stream();
    stream.batch(
      withHeaders(HEADERS, payload),
      message('room', 'plain'),
      withHeaders(HEADERS, Buffer.alloc(0)),
    );
    await stream.decided(3);
    await stream.finish();
    expect(await messages(4)).toEqual([
      { headers: HEADERS, payload },
      { headers: HEADERS, payload },
      { headers: new Map(), payload: Buffer.from('plain') },
      { headers: HEADERS, payload: Buffer.alloc(0) },
    ]);
    const native = await nativePayloads(4);
    expect(native[2]).toEqual(Buffer.from('plain'));
    expect(native.map((bytes) => openEnvelope(bytes))).toEqual(await messages(4));
  });

  it('do not change payloads that begin like an envelope, from the sidecar or a native client', async () => {
    const { mailbox, native, messages, nativePayloads } = await roomWithNativeClient();
    const enveloped = encodeEnvelope(new Map([['a', 'b']]), Buffer.from('inner'));
    const payloads = [MAGIC, enveloped, MAGIC.subarray(0, 6)];
    for (const payload of payloads)
      expect(await mailbox.send('room', payload)).toEqual({ bytesSent: payload.length });
    expect(await messages(3)).toEqual(payloads.map((payload) => ({ headers: new Map(), payload })));
    expect((await nativePayloads(3)).map(({ length }) => length)).toEqual([17, enveloped.length + 10, 6]);
    const invalid = [MAGIC, Buffer.concat([MAGIC, Buffer.from([2, 0, 0])]), enveloped.subarray(0, 12)];
    for (const payload of [...invalid, enveloped])
      native.multicast({ serviceType: 'AGREED', groups: ['room'], payload });
    expect((await messages(7)).slice(3)).toEqual([
      ...invalid.map((payload) => ({ headers: new Map(), payload })),
      { headers: new Map([['a', 'b']]), payload: Buffer.from('inner') },
    ]);
  });

  it('may have 8,192 bytes, beside the largest payload that has room for them', async () => {
    const { mailbox, messages } = await roomWithNativeClient();
    const headers = new Map([['n', 'v'.repeat(8188)]]);
    const payload = Buffer.alloc(143_119 - 8192 - 10, 7);
    await mailbox.send('room', payload, { headers });
    expect(await messages(1)).toEqual([{ headers, payload }]);
    const longer = mailbox.send('room', Buffer.alloc(payload.length + 1), { headers });
    expect(await failureOf(longer)).toMatchObject({
      details: expect.stringContaining('the envelope of its headers has 8202 bytes'),
      info: { reason: 'MESSAGE_TOO_LONG', metadata: { field: 'payload', bound: '0..134917 bytes' } },
    });
  });

  it('of one message in a batch can be wrong, and the other messages are sent', async () => {
    const { mailbox, messages } = await roomWithNativeClient();
    const stream = mailbox.stream();
    stream.batch(
      message('room', 'first'),
      withHeaders(new Map([['Upper', '']]), Buffer.from('wrong')),
      withHeaders(new Map([['n', 'v'.repeat(8189)]]), Buffer.from('too large')),
      message('room', 'last'),
    );
    expect(await stream.decided(4)).toMatchObject({ accepted: 2n });
    expect(stream.refusals.map(({ index, reason }) => [index, reason])).toEqual([
      [2n, 'HEADER_NAME_INVALID'],
      [3n, 'HEADERS_TOO_LARGE'],
    ]);
    expect((await messages(2)).map(({ payload }) => payload.toString())).toEqual(['first', 'last']);
  });
});

describe('a sidecar with headers off', () => {
  it('passes all payloads unchanged in both directions', async () => {
    const { mailbox, native, messages, nativePayloads } = await roomWithNativeClient({ headers: 'off' });
    const enveloped = encodeEnvelope(new Map([['a', 'b']]), Buffer.from('inner'));
    await mailbox.send('room', enveloped);
    expect(await nativePayloads(1)).toEqual([enveloped]);
    native.multicast({ serviceType: 'AGREED', groups: ['room'], payload: enveloped });
    const one = { headers: new Map(), payload: enveloped };
    expect(await messages(2)).toEqual([one, one]);
  });

  it('rejects a message with headers, and no other message of its stream', async () => {
    const { sidecar, mailbox, messages } = await roomWithNativeClient({ headers: 'off' });
    const request = { mailboxId: mailbox.id, message: withHeaders(HEADERS, Buffer.from('x')) };
    expect(await failureOf(call(sidecar.client, 'multicast', request))).toMatchObject({
      details: expect.stringContaining('mailbox.headers is off'),
      info: { reason: 'HEADERS_OFF', domain: 'spread-sidecar', metadata: { field: 'headers' } },
    });
    const stream = mailbox.stream();
    stream.batch(withHeaders(HEADERS, Buffer.from('x')), message('room', 'plain'));
    expect(await stream.decided(2)).toMatchObject({ accepted: 1n });
    expect((await messages(1)).map(({ payload }) => payload.toString())).toEqual(['plain']);
  });
});
