import { gzipSync } from 'node:zlib';
import { type CallOptions, credentials, status } from '@grpc/grpc-js';
import { MailboxServiceClient, MulticastStreamRequest } from 'spread-sidecar-proto';
import { describe, expect, it } from 'vitest';
import { type Http2Answer, http2Call } from '../support/network/http2-call.js';
import {
  CODE,
  callHeaders,
  FLAG,
  FRAME,
  frame,
  grpcMessage,
  windowUpdate,
} from '../support/network/http2-frames.js';
import type { RawHttp2 } from '../support/network/raw-http2.js';
import { rawClient, refusals } from '../support/sidecars/limits.js';
import { failureOf, rpcErrorOf } from '../support/sidecars/rpc-error.js';
import { type SecuredSidecar, startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, message, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { until } from '../support/until.js';

const SERVICE = '/spread.sidecar.v1.MailboxService';
const open = (stream: number, method: string, more: [string, string][] = []) =>
  frame(FRAME.HEADERS, FLAG.END_HEADERS, stream, callHeaders(`${SERVICE}/${method}`, more));

/** A unary call with unmodified bytes, by a well-behaved client. */
function sendBytes(
  sidecar: SecuredSidecar,
  method: string,
  bytes: Buffer,
  options: Partial<CallOptions> = {},
) {
  return failureOf(
    new Promise((resolve, reject) => {
      const same = (value: Buffer) => value;
      const path = `${SERVICE}/${method}`;
      sidecar
        .rawClient()
        .makeUnaryRequest(path, same, same, bytes, options, (error, value) =>
          error ? reject(error) : resolve(value),
        );
    }),
  );
}

describe('the size of a request', () => {
  it('grpc.maxReceiveMessageBytes: accepts a request at the limit, and rejects a larger one', async () => {
    const sidecar = await startSecured({ GRPC_MAX_RECEIVE_MESSAGE_BYTES: '256KiB' });
    const size = 256 * 1024;
    // An unknown field that fills the message.
    const unknown = (bytes: number) => {
      const value = bytes - 5;
      const head = [0xfa, 0x01, (value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14];
      return Buffer.concat([Buffer.from(head), Buffer.alloc(value)]);
    };
    for (const bytes of [size - 1, size])
      expect((await sendBytes(sidecar, 'Poll', unknown(bytes))).info?.reason).toBe('FIELD_REQUIRED');
    expect(await sendBytes(sidecar, 'Poll', unknown(size + 1))).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      info: {
        reason: 'REQUEST_TOO_LARGE',
        domain: 'spread-sidecar',
        metadata: { limit: 'grpc.maxReceiveMessageBytes', bound: `0 to ${size} bytes` },
      },
    });
    expect(await refusals(sidecar, 'grpc.maxReceiveMessageBytes')).toBe(1);
  });

  it('grpc.maxReceiveMessageBytes: applies to a batch as well', async () => {
    const sidecar = await startSecured({ GRPC_MAX_RECEIVE_MESSAGE_BYTES: '256KiB' });
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    const sending = mailbox.stream();
    sending.batch(message('g', Buffer.alloc(100_000)), message('g', Buffer.alloc(100_000)));
    await sending.decided(2);
    sending.batch(...Array.from({ length: 3 }, () => message('g', Buffer.alloc(100_000))));
    expect(await sending.failure()).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      info: { reason: 'REQUEST_TOO_LARGE' },
    });
  });
});

describe('the time of a request', () => {
  it('limits.requestTimeout: answers a request that arrives in time, and ends a later one', async () => {
    const sidecar = await startSecured({ LIMITS_REQUEST_TIMEOUT: '600ms' });
    const raw = await rawClient(sidecar);
    const whole = grpcMessage(Buffer.alloc(0));
    const startedAt = performance.now();
    raw.write(open(1, 'GetVersion'), open(3, 'GetVersion'), open(5, 'Receive'));
    raw.write(frame(FRAME.DATA, 0, 1, whole.subarray(0, 2)), frame(FRAME.DATA, 0, 3, whole));
    await new Promise((resolve) => setTimeout(resolve, 250));
    raw.write(frame(FRAME.DATA, FLAG.END_STREAM, 1, whole.subarray(2)));
    await until(() => raw.isAnswered(1));
    expect(performance.now() - startedAt).toBeLessThan(600);
    expect(raw.isAnswered(3)).toBe(false);
    await until(() => raw.isAnswered(3) && raw.isAnswered(5), { what: 'the others are ended' });
    expect(performance.now() - startedAt).toBeGreaterThan(600);
    expect(await refusals(sidecar, 'limits.requestTimeout')).toBe(2);
    // A MulticastStream request has no end, so the timeout does not apply.
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    const sending = mailbox.stream();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    sending.batch(message('g', 'late'));
    await sending.decided(1);
  });

  it('limits.requestTimeout: reports the reason to a gRPC client', async () => {
    const sidecar = await startSecured({ LIMITS_REQUEST_TIMEOUT: '200ms' });
    // A streaming call of a unary method: the client can leave the request open.
    const same = (value: Buffer) => value;
    const stream = sidecar.rawClient().makeClientStreamRequest(`${SERVICE}/GetVersion`, same, same, () => {});
    stream.on('error', () => {});
    const ended = await new Promise((resolve) => stream.once('status', resolve));
    expect(rpcErrorOf(ended)).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      info: {
        reason: 'REQUEST_TIMEOUT',
        metadata: { limit: 'limits.requestTimeout', bound: '200 ms', outcome: 'not-sent' },
      },
    });
  });
});

describe('a response that is not read', () => {
  it('limits.stallTimeout: resets a stream whose response is not read, but not earlier', async () => {
    const sidecar = await startSecured({ LIMITS_STALL_TIMEOUT: '600ms' });
    const raw = await rawClient(sidecar, { values: { 4: 0 } });
    const request = frame(FRAME.DATA, FLAG.END_STREAM, 1, grpcMessage(Buffer.alloc(0)));
    raw.write(open(1, 'GetVersion'), request);
    const startedAt = performance.now();
    await until(() => raw.resetOf(1) !== undefined, { what: 'the stream is reset' });
    expect(raw.resetOf(1)).toBe(CODE.CANCEL);
    expect(performance.now() - startedAt).toBeGreaterThan(600);
    expect(await refusals(sidecar, 'limits.stallTimeout')).toBe(1);
    // A response that is read in time arrives completely.
    raw.write(open(3, 'GetVersion'), frame(FRAME.DATA, FLAG.END_STREAM, 3, grpcMessage(Buffer.alloc(0))));
    await new Promise((resolve) => setTimeout(resolve, 300));
    raw.write(windowUpdate(3, 10_000));
    await until(() => endedOf(raw, 3), { what: 'its end' });
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(raw.resetOf(3)).toBeUndefined();
  });

  it('limits.stallTimeout: removes an ended call even if its client continues', async () => {
    const sidecar = await startSecured({ LIMITS_STALL_TIMEOUT: '300ms' });
    const raw = await rawClient(sidecar);
    // The open frame has no mailbox ID, so the call fails. The client never ends its side.
    raw.write(open(1, 'MulticastStream'), frame(FRAME.DATA, 0, 1, grpcMessage(Buffer.from([0x0a, 0x00]))));
    await until(() => endedOf(raw, 1), { what: 'its end' });
    expect(raw.resetOf(1)).toBeUndefined();
    await until(() => raw.resetOf(1) !== undefined, { what: 'the stream is reset' });
  });
});

describe('buffered requests', () => {
  /** Starts a message of 4 MiB on each stream and sends a part of it, in turns. */
  async function hold(raw: RawHttp2, streams: number, bytes: number): Promise<void> {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(4 * 1024 * 1024, 1);
    for (let i = 0; i < streams; i++)
      raw.write(open(2 * i + 1, 'Multicast'), frame(FRAME.DATA, 0, 2 * i + 1, head));
    const piece = Buffer.alloc(16_000);
    for (let sent = 0; sent < bytes && !raw.closed; sent += piece.length) {
      for (let i = 0; i < streams; i++) raw.write(frame(FRAME.DATA, 0, 2 * i + 1, piece));
      await raw.drained();
      // HTTP/2 allows more bytes only after the sidecar has read the earlier ones.
      const granted = raw.count(FRAME.WINDOW_UPDATE);
      if (sent % 64_000 === 0)
        await until(() => raw.count(FRAME.WINDOW_UPDATE) > granted || raw.closed, { timeoutMs: 200 }).catch(
          () => {},
        );
    }
  }

  it('limits.maxBufferedRequestBytes: ends no request below the limit', async () => {
    const sidecar = await startSecured({
      LIMITS_MAX_BUFFERED_REQUEST_BYTES: '8MiB',
    });
    const raw = await rawClient(sidecar);
    await hold(raw, 8, 900_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(raw.count(FRAME.HEADERS)).toBe(0);
    expect(await refusals(sidecar, 'limits.maxBufferedRequestBytes')).toBe(0);
  });

  it('limits.maxBufferedRequestBytes: above the limit, ends only the requests that hold the most bytes', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_BUFFERED_REQUEST_BYTES: '8MiB' });
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    const sending = mailbox.stream();
    const raw = await rawClient(sidecar);
    await hold(raw, 12, 1_600_000);
    await until(() => raw.count(FRAME.HEADERS) > 0, { what: 'some are ended' });
    expect(await refusals(sidecar, 'limits.maxBufferedRequestBytes')).toBeGreaterThan(0);
    expect(raw.closed).toBe(false);
    sending.batch(message('g', Buffer.alloc(100_000)));
    await sending.decided(1);
    await mailbox.send('g', 'x');
  });
});

describe('compressed requests', () => {
  const gzip = { 'grpc.default_compression_algorithm': 2 };
  const poll = async (sidecar: SecuredSidecar) => {
    const client = new MailboxServiceClient(sidecar.targets[0]!, credentials.createInsecure(), gzip);
    try {
      return await call(client, 'poll', { mailboxId: 'x'.repeat(32) });
    } finally {
      client.close();
    }
  };

  it('limits.compressedRequests: rejects them, and tells the client the accepted encodings', async () => {
    const sidecar = await startSecured({});
    const failure = await failureOf(poll(sidecar));
    expect(failure).toMatchObject({
      code: status.UNIMPLEMENTED,
      info: { reason: 'COMPRESSION_NOT_SUPPORTED', domain: 'spread-sidecar' },
    });
    expect(failure.trailers.get('grpc-accept-encoding')).toEqual(['identity']);
    await call(sidecar.rawClient(), 'getVersion', {});
  });

  it('limits.compressedRequests: rejects them on a stream too, without decompressing anything', async () => {
    const sidecar = await startSecured({});
    const mailbox = await TestMailbox.open(sidecar.rawClient());
    const raw = await rawClient(sidecar);
    const openFrame = MulticastStreamRequest.encode({
      frame: { $case: 'open', value: { mailboxId: mailbox.id, respondsOnRequest: false } },
    }).finish();
    raw.write(open(1, 'MulticastStream', [['grpc-encoding', 'gzip']]));
    raw.write(frame(FRAME.DATA, 0, 1, grpcMessage(Buffer.from(openFrame))));
    await until(() => raw.count(FRAME.DATA) === 1, { what: 'the stream is open' });
    raw.write(frame(FRAME.DATA, 0, 1, grpcMessage(gzipSync(Buffer.alloc(4_000_000)), true)));
    await until(() => endedOf(raw, 1), { what: 'its end' });
  });

  it('limits.compressedRequests: true: accepts them', async () => {
    const sidecar = await startSecured({ LIMITS_COMPRESSED_REQUESTS: 'true' });
    expect((await failureOf(poll(sidecar))).info?.reason).toBe('ILLEGAL_SESSION');
  });

  it('limits.compressedRequests: true: counts each with its largest possible size', async () => {
    const sidecar = await startSecured({
      LIMITS_COMPRESSED_REQUESTS: 'true',
      LIMITS_MAX_BUFFERED_REQUEST_BYTES: '8MiB',
    });
    const raw = await rawClient(sidecar);
    // Three requests of at most 4 MiB have started.
    for (const stream of [1, 3, 5])
      raw.write(open(stream, 'Multicast'), frame(FRAME.DATA, 0, stream, Buffer.of(1)));
    await until(() => raw.count(FRAME.HEADERS) > 0, { what: 'one of them is ended' });
    expect(raw.count(FRAME.HEADERS)).toBe(1);
    expect(await refusals(sidecar, 'limits.maxBufferedRequestBytes')).toBe(1);
  });
});

describe('responses that gRPC creates', () => {
  const POLL = `${SERVICE}/Poll`;
  const empty = grpcMessage(Buffer.alloc(0));

  it.each<[string, string, Record<string, string>, Buffer, Partial<Http2Answer>]>([
    [
      'a request whose compression is broken',
      POLL,
      { 'grpc-encoding': 'gzip' },
      grpcMessage(Buffer.from('no gzip'), true),
      { code: status.INVALID_ARGUMENT, reason: 'MALFORMED_REQUEST' },
    ],
    [
      'a request that is too large after decompression',
      POLL,
      { 'grpc-encoding': 'gzip' },
      grpcMessage(gzipSync(Buffer.alloc(5_000_000)), true),
      { code: status.RESOURCE_EXHAUSTED, reason: 'REQUEST_TOO_LARGE' },
    ],
    [
      'an unknown compression',
      POLL,
      { 'grpc-encoding': 'x' },
      grpcMessage(Buffer.from('x'), true),
      { code: status.UNIMPLEMENTED, reason: 'COMPRESSION_NOT_SUPPORTED' },
    ],
    [
      'a malformed timeout',
      POLL,
      { 'grpc-timeout': 'soon' },
      empty,
      { code: status.INVALID_ARGUMENT, reason: 'MALFORMED_REQUEST' },
    ],
    ['no request', POLL, {}, Buffer.alloc(0), { code: status.INVALID_ARGUMENT, reason: 'MALFORMED_REQUEST' }],
    [
      'two requests',
      POLL,
      {},
      Buffer.concat([empty, empty]),
      { code: status.INVALID_ARGUMENT, reason: 'MALFORMED_REQUEST' },
    ],
    // grpc-js creates these responses without calling any handler.
    ['an unknown method', `${SERVICE}/Nothing`, {}, empty, { code: status.UNIMPLEMENTED, reason: undefined }],
    [
      'another content type',
      POLL,
      { 'content-type': 'text/plain' },
      empty,
      { httpStatus: 415, code: Number.NaN },
    ],
  ])('%s', async (_, path, headers, body, expected) => {
    const sidecar = await startSecured({ LIMITS_COMPRESSED_REQUESTS: 'true' });
    expect(await http2Call(sidecar.targets[0]!, path, headers, body)).toMatchObject(expected);
  });
});

/** Whether the server has ended its side of a stream. */
function endedOf(raw: RawHttp2, stream: number): boolean {
  return raw.frames.some(
    (one) => one.stream === stream && one.type <= FRAME.HEADERS && one.flags & FLAG.END_STREAM,
  );
}
