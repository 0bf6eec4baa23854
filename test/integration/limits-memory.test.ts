import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { join } from 'node:path';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { MailboxServiceClient } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { http2Call } from '../support/network/http2-call.js';
import { grpcMessage } from '../support/network/http2-frames.js';
import { refusals } from '../support/sidecars/limits.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { call, TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startWhole } from '../support/sidecars/whole-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const TOKEN = 'alice-token-0123456789';
const SERVICE = '/spread.sidecar.v1.MailboxService';
const MIB = 1024 * 1024;

function session(target: string, options: Parameters<typeof connect>[1] = {}): ClientHttp2Session {
  const opened = connect(`http://${target}`, options);
  opened.on('error', () => {});
  onTestFinished(() => opened.destroy());
  return opened;
}

function request(
  on: ClientHttp2Session,
  path: string,
  body: Buffer = Buffer.alloc(0),
  headers: Record<string, string> = {},
): ClientHttp2Stream {
  const stream = on.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => {});
  stream.end(grpcMessage(body));
  return stream;
}

/** Peak resident memory of a process. Unit: bytes. */
const peakOf = (pid: number): number =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

describe('peers without a token', () => {
  it('http2.unauthenticated: limits a connection to 16 streams until one of its calls brings a token', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: TOKEN });
    const [target = ''] = sidecar.targets;
    const peer = session(target);
    await until(() => peer.remoteSettings?.maxConcurrentStreams === 16, { what: 'the first SETTINGS' });
    request(peer, `${SERVICE}/GetVersion`, undefined, { authorization: `Bearer ${TOKEN}` });
    await until(() => (peer.remoteSettings?.maxConcurrentStreams ?? 0) > 16, { what: 'more streams' });
  });

  it('http2.unauthenticated: rejects floods of calls, and serves a client with a token', async () => {
    const whole = await startWhole('--memory-limit', '160MiB', '--grpc-token-file', tokenFile());
    const target = `127.0.0.1:${whole.ports.grpc}`;
    const client = new MailboxServiceClient(target, credentials.createInsecure());
    onTestFinished(() => client.close());
    const token = new Metadata();
    token.set('authorization', `Bearer ${TOKEN}`);
    const codes = new Map<number, number>();
    let closedStreams = 0;
    for (let i = 0; i < 25; i++) {
      const peer = session(target);
      for (let n = 0; n < 400; n++) {
        const stream = request(peer, `${SERVICE}/GetVersion`);
        stream.on('response', ({ 'grpc-status': code }) =>
          codes.set(Number(code), (codes.get(Number(code)) ?? 0) + 1),
        );
        stream.once('close', () => closedStreams++);
        stream.resume();
      }
    }
    let served = 0;
    while (closedStreams < 25 * 400) {
      await new Promise<void>((resolve, reject) =>
        client.getVersion({}, token, (error) => (error ? reject(error) : resolve())),
      );
      served++;
    }
    expect(served).toBeGreaterThan(0);
    expect([...codes.keys()]).toEqual([status.UNAUTHENTICATED]);
    expect(peakOf(whole.process.pid)).toBeLessThan(160 * MIB);
  }, 60_000);
});

describe('responses that nobody reads', () => {
  it('limits.maxUnsentResponseBytes: rejects calls of a connection that reads nothing, and answers others', async () => {
    const sidecar = await startSecured({ LIMITS_MAX_UNSENT_RESPONSE_BYTES: '256KiB' });
    const [target = ''] = sidecar.targets;
    const client = sidecar.rawClient();
    const { id } = await TestMailbox.open(client);
    for (let i = 0; i < 100; i++)
      await call(client, 'join', { mailboxId: id, group: `${i}`.padStart(31, 'g') });
    // This peer reads no byte of any response.
    const peer = session(target, { settings: { initialWindowSize: 0 } });
    const wanted = Buffer.concat([Buffer.of(0x0a, id.length), Buffer.from(id)]);
    const codes: number[] = [];
    for (let i = 0; i < 400; i++) {
      const stream = request(peer, `${SERVICE}/GetMailbox`, wanted);
      const note = (headers: Record<string, unknown>) => {
        if (headers['grpc-status'] !== undefined) codes.push(Number(headers['grpc-status']));
      };
      stream.on('response', note).on('trailers', note);
    }
    await until(() => codes.length > 300, { what: 'most calls are refused' });
    expect(new Set(codes)).toEqual(new Set([status.RESOURCE_EXHAUSTED]));
    expect(await refusals(sidecar, 'limits.maxUnsentResponseBytes')).toBeGreaterThan(300);
    expect((await call(client, 'getMailbox', { mailboxId: id })).mailbox?.groups).toHaveLength(100);
    // The memory is free after the peer has disconnected.
    peer.destroy(undefined, constants.NGHTTP2_CANCEL);
    const reader = session(target);
    await until(async () => (await answerOf(request(reader, `${SERVICE}/GetMailbox`, wanted))) === status.OK);
  }, 30_000);
});

describe('requests of health and reflection', () => {
  it.each([
    '/grpc.health.v1.Health/Check',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
  ])('http2.smallRequests: %s accepts 4096 bytes', async (path) => {
    const sidecar = await startSecured({});
    const [target = ''] = sidecar.targets;
    // Unknown fields, which the decoder skips.
    const sized = (bytes: number) =>
      grpcMessage(
        Buffer.concat([Buffer.alloc(bytes - (bytes % 2), Buffer.of(0x78, 1)), Buffer.alloc(bytes % 2)]),
      );
    const within = await http2Call(target, path, {}, sized(4096));
    const above = await http2Call(target, path, {}, sized(4097));
    expect(within.reason).not.toBe('REQUEST_TOO_LARGE');
    expect(above).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: 'REQUEST_TOO_LARGE' });
  });
});

function answerOf(stream: ClientHttp2Stream): Promise<number> {
  return new Promise((resolve) => {
    let code = Number.NaN;
    const note = (headers: Record<string, unknown>) => {
      if (headers['grpc-status'] !== undefined) code = Number(headers['grpc-status']);
    };
    stream
      .on('response', note)
      .on('trailers', note)
      .once('close', () => resolve(code));
    stream.resume();
  });
}

function tokenFile(): string {
  const path = join(temporaryFolder(), 'tokens');
  writeFileSync(path, `${TOKEN}\n`);
  return path;
}
