import { Metadata, status } from '@grpc/grpc-js';
import { AGREED_MESS } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { CODE, callHeaders, FLAG, FRAME, frame, grpcMessage } from '../support/network/http2-frames.js';
import { rawClient, refusals } from '../support/sidecars/limits.js';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { until } from '../support/until.js';

const GET_VERSION = '/spread.sidecar.v1.MailboxService/GetVersion';
const RECEIVE = '/spread.sidecar.v1.MailboxService/Receive';

/** A complete GetVersion call. */
const version = (stream: number, more: [string, string][] = []) =>
  Buffer.concat([
    frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, callHeaders(GET_VERSION, more)),
    frame(FRAME.DATA, FLAG.END_STREAM, stream, grpcMessage(Buffer.alloc(0))),
  ]);

describe('connections', () => {
  it('limits.maxConnections: closes one more connection than allowed when it is accepted', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_CONNECTIONS: '3' });
    const open = [await rawClient(sidecar), await rawClient(sidecar), await rawClient(sidecar)];
    for (const raw of open) raw.write(version(1));
    await until(() => open.every((raw) => raw.isAnswered(1)), { what: 'three are served' });
    const fourth = await rawClient(sidecar);
    await until(() => fourth.closed, { what: 'the fourth is closed' });
    expect(fourth.frames).toEqual([]);
    expect(await failureOf(call(sidecar.rawClient(), 'getVersion', {}))).toMatchObject({
      code: status.UNAVAILABLE,
    });
    expect(open.some(({ closed }) => closed)).toBe(false);
    expect(await refusals(sidecar, 'limits.maxConnections')).toBeGreaterThanOrEqual(2);
    expect(sidecar.log().match(/"limit":"limits.maxConnections"/g)).toHaveLength(1);
    open[0]!.socket.destroy();
    await until(() => call(sidecar.rawClient(), 'getVersion', {}).catch(() => false), {
      what: 'there is room',
    });
    await sidecar.stop();
    expect(sidecar.log()).toMatch(/"kind":"limits.maxConnections","more":\d+/);
  });

  it('limits.maxConnectionIdle: closes a connection without a call gracefully, and keeps one with a call', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_CONNECTION_IDLE: '1s' });
    const client = sidecar.rawClient();
    const { id } = await TestMailbox.open(client);
    const [busy, idle] = [await rawClient(sidecar), await rawClient(sidecar)];
    const request = Buffer.concat([Buffer.of(0x0a, id.length), Buffer.from(id)]);
    busy.write(
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, callHeaders(RECEIVE)),
      frame(FRAME.DATA, FLAG.END_STREAM, 1, grpcMessage(request)),
    );
    idle.write(version(1));
    await until(() => busy.isAnswered(1) && idle.isAnswered(1));
    const startedAt = performance.now();
    await until(() => idle.closed, { what: 'the idle one is closed' });
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(idle.goaway).toEqual({ code: CODE.NO_ERROR, text: '' });
    expect(busy.closed).toBe(false);
    // A client reconnects by itself.
    await call(client, 'getVersion', {});
  });

  it('grpc.maxConcurrentStreams: is announced in SETTINGS, and a client that exceeds it is disconnected', async () => {
    const sidecar = await startSecured({ GRPC_MAX_CONCURRENT_STREAMS: '16' });
    const open = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        frame(FRAME.HEADERS, FLAG.END_HEADERS, 2 * i + 1, callHeaders(GET_VERSION)),
      );
    const [within, above] = [await rawClient(sidecar), await rawClient(sidecar)];
    // The client has acknowledged the SETTINGS, so the limit applies from now on.
    await until(() => within.count(FRAME.SETTINGS) === 2 && above.count(FRAME.SETTINGS) === 2);
    const serverSettings = within.frames.find(
      ({ type, flags }) => type === FRAME.SETTINGS && !(flags & FLAG.ACK),
    );
    const entries = Array.from({ length: serverSettings!.payload.length / 6 }, (_, i) =>
      serverSettings!.payload.subarray(6 * i),
    );
    expect(entries.find((entry) => entry.readUInt16BE(0) === 3)?.readUInt32BE(2)).toBe(16);
    within.write(...open(16), frame(FRAME.DATA, FLAG.END_STREAM, 31, grpcMessage(Buffer.alloc(0))));
    await until(() => within.isAnswered(31), { what: 'the sixteenth call is answered' });
    above.write(...open(17));
    await until(() => above.closed, { what: 'the connection is closed' });
    expect(above.goaway).toBeDefined();
    expect(within.closed).toBe(false);
  });
});

describe('metadata', () => {
  it('limits.maxMetadataBytes: counts names, values and 32 bytes for each field, like HTTP/2', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_METADATA_BYTES: '8KiB' });
    const raw = await rawClient(sidecar);
    // Before the client has acknowledged the SETTINGS, HTTP/2's default limit of 64 KiB applies.
    await until(() => raw.count(FRAME.SETTINGS) === 2);
    const plain: [string, string][] = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', GET_VERSION],
      [':authority', 'test'],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
    ];
    const size = (headers: readonly [string, string][]) =>
      headers.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
    const room = 8192 - size(plain) - size([['x-a', '']]);
    raw.write(
      version(1, [['x-a', 'y'.repeat(room - 1)]]),
      version(3, [['x-a', 'y'.repeat(room)]]),
      version(5, [['x-a', 'y'.repeat(room + 1)]]),
      version(7),
    );
    await until(() => raw.isAnswered(7));
    expect([1, 3, 5, 7].map((stream) => raw.isAnswered(stream))).toEqual([true, true, false, true]);
    expect(raw.resetOf(5)).toBe(CODE.ENHANCE_YOUR_CALM);
    // The same failure, seen by a gRPC client.
    const metadata = new Metadata();
    metadata.set('x-a', 'y'.repeat(9000));
    const client = sidecar.rawClient();
    const failure = await failureOf(
      new Promise((resolve, reject) => {
        const bytes = (value: Buffer) => value;
        client.makeUnaryRequest(GET_VERSION, bytes, bytes, Buffer.alloc(0), metadata, (error, value) =>
          error ? reject(error) : resolve(value),
        );
      }),
    );
    expect(failure.code).toBe(status.RESOURCE_EXHAUSTED);
  });
});

describe('the age of a connection', () => {
  const AGE = { LIMITS_MAX_CONNECTION_AGE: '1s', LIMITS_MAX_CONNECTION_AGE_GRACE: '500ms' };

  it('limits.maxConnectionAge: first stops new calls, then ends the open ones', async () => {
    const sidecar = await startSecured(AGE);
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    const raw = await rawClient(sidecar);
    const id = Buffer.from(mailbox.id);
    const startedAt = performance.now();
    raw.write(
      frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, callHeaders(RECEIVE)),
      frame(FRAME.DATA, FLAG.END_STREAM, 1, grpcMessage(Buffer.concat([Buffer.of(0x0a, id.length), id]))),
    );
    await until(() => raw.goaway !== undefined, { what: 'the client gets GOAWAY' });
    const [goaway] = raw.frames.filter(({ type }) => type === FRAME.GOAWAY);
    // The last call that the sidecar accepted.
    expect(goaway?.payload.readUInt32BE(0)).toBe(1);
    expect(raw.goaway?.code).toBe(CODE.NO_ERROR);
    expect(performance.now() - startedAt).toBeGreaterThan(850);
    raw.write(version(3));
    await until(() => raw.closed, { what: 'it is closed' });
    expect(performance.now() - startedAt).toBeGreaterThan(1350);
    expect(raw.isAnswered(3)).toBe(false);
  });

  it('limits.maxConnectionAgeGrace: a Receive gets the reason, and continues elsewhere without loss', async () => {
    const sidecar = await startSecured(AGE);
    const client = sidecar.rawClient();
    const mailbox = await TestMailbox.open(client);
    await mailbox.call('join', { group: 'g', awaitView: true });
    const receiving = mailbox.receive();
    await mailbox.send('g', 'before');
    await until(() => receiving.texts.includes('before'));
    const failure = await receiving.failure();
    expect(failure).toMatchObject({
      code: status.UNAVAILABLE,
      info: { reason: 'CONNECTION_TOO_OLD', domain: 'spread-sidecar' },
      retryDelayMs: 1000,
    });
    await mailbox.send('g', 'after');
    const last = receiving.sequences.at(-1)!;
    const again = mailbox.receive({ afterSequence: BigInt(last) });
    await until(() => again.texts.includes('after'));
    expect(again.sequences[0]).toBe(last + 1);
  });

  it('limits.maxConnectionAge: fails no call of a client that calls continuously', async () => {
    const sidecar = await startSecured({ ...AGE, LIMITS_MAX_CONNECTION_AGE_GRACE: '5s' });
    const client = sidecar.rawClient();
    const mailbox = await TestMailbox.open(client);
    const until4s = performance.now() + 4000;
    let sent = 0;
    while (performance.now() < until4s) {
      await Promise.all([mailbox.send('g', 'x'), mailbox.call('poll', {}), mailbox.send('g', 'y')]);
      sent += 2;
    }
    expect(Number((await mailbox.call('getMailbox', {})).mailbox?.messagesSent)).toBe(sent);
  });

  it("limits.maxConnectionAge: does not affect the client's mailbox", async () => {
    const sidecar = await startSecured(AGE);
    const mailbox = await sidecar.client().connect();
    await mailbox.join('g', { awaitView: true });
    const texts: string[] = [];
    const reading = (async () => {
      for await (const event of mailbox) {
        if (event.kind === 'regular') texts.push(event.text());
        if (texts.at(-1) === 'last') return;
      }
    })();
    const sent: string[] = [];
    const until6s = performance.now() + 6000;
    while (performance.now() < until6s) {
      sent.push(`${sent.length}`);
      await mailbox.multicast(AGREED_MESS, 'g', sent.at(-1)!);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await mailbox.multicast(AGREED_MESS, 'g', 'last');
    await reading;
    expect(texts).toEqual([...sent, 'last']);
  });
});
