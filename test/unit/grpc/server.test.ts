import { connect as connectHttp2 } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import {
  Client,
  credentials,
  type Metadata,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type StatusObject,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GrpcTelemetry, MethodInfo } from '../../../server/src/grpc/calls/methods.js';
import { observedCall } from '../../../server/src/grpc/calls/observed-call.js';
import { GrpcServer, type GrpcServerOptions } from '../../../server/src/grpc/server.js';
import { formatListenAddress, type ListenAddress } from '../../../server/src/net/listen-address.js';
import { boundsWith, GRPC_BOUNDS } from '../../support/sidecars/grpc-bounds.js';
import { rpcErrorOf } from '../../support/sidecars/rpc-error.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until, within } from '../../support/until.js';

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer) => bytes;
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}
const Echo = {
  once: method('Once', false, false),
  never: method('Never', false, false),
  forever: method('Forever', false, true),
  both: method('Both', true, true),
};

/** The telemetry events, one per line. */
class Recorder implements GrpcTelemetry {
  readonly lines: string[] = [];
  readonly seconds: number[] = [];
  callStarted = ({ method: name, type }: MethodInfo) => void this.lines.push(`${name} started ${type}`);
  callFinished = ({ method: name }: MethodInfo, code: number, seconds: number) => {
    this.lines.push(`${name} ${status[code]}`);
    this.seconds.push(seconds);
  };
  messageReceived = ({ method: name }: MethodInfo) => void this.lines.push(`${name} received`);
  messageSent = ({ method: name }: MethodInfo) => void this.lines.push(`${name} sent`);
  eventsDelivered = () => void this.lines.push('events delivered');
}

const LOOPBACK: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };

async function start(
  options: Partial<GrpcServerOptions> & {
    addresses?: ListenAddress[];
    onFrame?: (frame: Buffer) => void;
  } = {},
) {
  const recorder = new Recorder();
  const cancelled: string[] = [];
  const allow: (() => void)[] = [];
  const server = new GrpcServer({
    bounds: GRPC_BOUNDS,
    services: [
      {
        definition: Echo as unknown as ServiceDefinition,
        implementation: {
          once: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
            answer(null, call.request),
          never: (call: ServerUnaryCall<Buffer, Buffer>) =>
            void call.once('cancelled', () => cancelled.push('never')),
          forever: (call: ServerWritableStream<Buffer, Buffer>) => {
            call.write(Buffer.from('first'));
            call.once('cancelled', () => cancelled.push('forever'));
          },
          both: (call: ServerDuplexStream<Buffer, Buffer>) => {
            const reads = observedCall(call.metadata);
            reads.readOneAtATime();
            allow.push(() => reads.allowRead());
            call.on('data', (frame: Buffer) => options.onFrame?.(frame));
            call.once('end', () => call.end());
          },
        },
      },
    ],
    telemetry: recorder,
    ...options,
  });
  const [address] = await server.listen(options.addresses ?? [LOOPBACK]);
  const client = new Client(formatListenAddress(address!), credentials.createInsecure());
  onTestFinished(async () => {
    client.close();
    await server.stop({ graceMs: 0 });
  });
  return { server, client, recorder, cancelled, allow, address: address! };
}

const same = (bytes: Buffer) => bytes;
type Answer = { error?: unknown; value?: Buffer | undefined };
const once = (client: Client, path: string, request: Buffer, options = {}) =>
  new Promise<Answer>((resolve) => {
    client.makeUnaryRequest(path, same, same, request, options, (error, value) => {
      resolve(error ? { error } : { value });
    });
  });
function forever(client: Client) {
  const call = client.makeServerStreamRequest(Echo.forever.path, same, same, Buffer.alloc(0));
  const first = new Promise<void>((resolve) => void call.once('data', () => resolve()));
  const end = new Promise<StatusObject>((resolve) => void call.once('status', resolve));
  call.on('error', () => {});
  return { call, first, end };
}

describe('listening', () => {
  it('serves several addresses, TCP and Unix', async () => {
    const path = join(temporaryFolder(), 's');
    const { server } = await start({ addresses: [LOOPBACK, { kind: 'unix', path }, LOOPBACK] });
    expect(server.addresses.map(({ kind }) => kind)).toEqual(['tcp', 'unix', 'tcp']);
    for (const address of server.addresses) {
      const client = new Client(formatListenAddress(address), credentials.createInsecure());
      onTestFinished(() => client.close());
      expect(await once(client, Echo.once.path, Buffer.from('hi'))).toEqual({ value: Buffer.from('hi') });
    }
    expect(server.connections).toBe(3);
  });

  it('listens on all addresses or on none', async () => {
    const first = await start();
    const path = join(temporaryFolder(), 's');
    const second = new GrpcServer({ services: [], bounds: GRPC_BOUNDS });
    await expect(second.listen([{ kind: 'unix', path }, first.address])).rejects.toMatchObject({
      reason: 'TAKEN',
    });
    await expect(second.listen([{ kind: 'unix', path }])).resolves.toHaveLength(1);
    await second.stop({ graceMs: 0 });
  });

  it('opens the HTTP/2 windows with the configured size', async () => {
    const windows = { streamWindowBytes: 300_000, connectionWindowBytes: 700_000 };
    const { address } = await start({ bounds: boundsWith({ ...windows, maxConcurrentStreams: 99 }) });
    const session = connectHttp2(`http://${formatListenAddress(address)}`);
    onTestFinished(() => session.destroy());
    await within(new Promise((resolve) => session.once('remoteSettings', resolve)), 'the settings');
    expect(session.remoteSettings.initialWindowSize).toBe(windows.streamWindowBytes);
    expect(session.remoteSettings.maxConcurrentStreams).toBe(99);
    await until(() => session.state.remoteWindowSize === windows.connectionWindowBytes, {
      what: 'connection window',
    });
  });
});

describe('a client that does not speak gRPC', () => {
  it.each([
    ['HTTP/1', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['noise', '\0\xff'.repeat(5000)],
    ['a preface and noise', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(5000)}`],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(600, 'x')],
  ])('is disconnected and harms no other client: %s', async (_, bytes) => {
    const { client, server, address } = await start();
    const socket = connectSocket((address as { port: number }).port, '127.0.0.1');
    socket.on('error', () => {}).resume();
    socket.write(bytes, 'latin1');
    await until(() => socket.closed, { what: 'the connection is closed' });
    expect(await once(client, Echo.once.path, Buffer.from('hi'))).toEqual({ value: Buffer.from('hi') });
    expect(server.connections).toBe(1);
  });

  it('can reset at any time', async () => {
    const { client, server, address } = await start();
    for (const bytes of ['', 'PRI *', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
      const socket = connectSocket((address as { port: number }).port, '127.0.0.1');
      await new Promise((resolve) => socket.write(bytes, resolve));
      socket.resetAndDestroy();
    }
    expect(await once(client, Echo.once.path, Buffer.from('hi'))).toEqual({ value: Buffer.from('hi') });
    await until(() => server.connections === 1);
  });
});

describe('telemetry', () => {
  it('gets every call and message', async () => {
    const { client, recorder } = await start();
    await once(client, Echo.once.path, Buffer.from('x'));
    expect(recorder.lines).toEqual(['Once started unary', 'Once received', 'Once sent', 'Once OK']);
    expect(recorder.seconds[0]).toBeGreaterThan(0);
    expect(recorder.seconds[0]).toBeLessThan(5);
  });

  it('gets CANCELLED when the caller has disconnected', async () => {
    const { client, recorder, cancelled } = await start();
    const { call, first } = forever(client);
    await first;
    call.cancel();
    await until(() => recorder.lines.at(-1) === 'Forever CANCELLED');
    expect(cancelled).toEqual(['forever']);
  });

  it('gets the true status of calls that grpc-js ends', async () => {
    const { client, recorder } = await start({ bounds: boundsWith({ maxRequestBytes: 1000 }) });
    await once(client, Echo.once.path, Buffer.alloc(1001));
    await until(() => recorder.lines.at(-1) === 'Once RESOURCE_EXHAUSTED');
    await once(client, Echo.never.path, Buffer.alloc(1), { deadline: Date.now() + 50 });
    await until(() => /^Never (DEADLINE_EXCEEDED|CANCELLED)$/.test(recorder.lines.at(-1) ?? ''));
  });

  it('has no label for unknown methods', async () => {
    const { client, recorder } = await start();
    const { error } = await once(client, '/test.Echo/NoSuchMethod', Buffer.alloc(0));
    expect(rpcErrorOf(error).code).toBe(status.UNIMPLEMENTED);
    expect(recorder.lines).toEqual([]);
  });

  it('gets one object for each method', async () => {
    const { server } = await start();
    expect(server.methods.map(({ service, method: name, type }) => `${service}/${name} ${type}`)).toEqual([
      'test.Echo/Once unary',
      'test.Echo/Never unary',
      'test.Echo/Forever server_stream',
      'test.Echo/Both bidi_stream',
    ]);
  });
});

describe('reading one message at a time', () => {
  it('accepts no message that was not allowed', async () => {
    const frames: string[] = [];
    const { client, allow } = await start({ onFrame: (frame) => frames.push(frame.toString()) });
    const call = client.makeBidiStreamRequest(Echo.both.path, same, same);
    const end = new Promise<StatusObject>((resolve) => void call.once('status', resolve));
    call.resume();
    for (const text of ['1', '2', '3']) call.write(Buffer.from(text));
    call.end();
    await until(() => frames.length === 1);
    // Another call succeeds meanwhile: the server works, but the message is not allowed yet.
    await once(client, Echo.once.path, Buffer.alloc(1));
    expect(frames).toEqual(['1']);
    allow[0]!();
    await until(() => frames.length === 2);
    await once(client, Echo.once.path, Buffer.alloc(1));
    expect(frames).toEqual(['1', '2']);
    allow[0]!();
    await until(() => frames.length === 3);
    allow[0]!();
    expect((await within(end, 'the end')).code).toBe(status.OK);
  });
});

describe('stop', () => {
  it('lets calls finish, and accepts no more connections', async () => {
    const { server, client, address } = await start();
    const { call, first, end } = forever(client);
    await first;
    const stopped = server.stop({ graceMs: 5000 });
    const late = new Client(formatListenAddress(address), credentials.createInsecure());
    const { error } = await once(late, Echo.once.path, Buffer.alloc(0), { deadline: Date.now() + 300 });
    late.close();
    expect([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]).toContain(rpcErrorOf(error).code);
    call.cancel();
    await within(stopped, 'the stop');
    expect((await end).code).toBe(status.CANCELLED);
  });

  it('ends remaining calls with UNAVAILABLE and the reason DRAINING, not CANCELLED', async () => {
    const { server, client, recorder } = await start();
    const streams = [forever(client), forever(client)];
    await Promise.all(streams.map(({ first }) => first));
    const unary = once(client, Echo.never.path, Buffer.alloc(0));
    await until(() => server.openCalls === 3);
    await within(server.stop({ graceMs: 20 }), 'the stop');
    const ends: { code: number; metadata: Metadata; details: string }[] = [];
    for (const { end } of streams) ends.push(await within(end, 'the end'));
    ends.push((await within(unary, 'the answer')).error as never);
    for (const failure of ends) {
      expect(rpcErrorOf(failure)).toMatchObject({ code: status.UNAVAILABLE, info: { reason: 'DRAINING' } });
    }
    expect(recorder.lines.filter((line) => line.endsWith('UNAVAILABLE'))).toHaveLength(3);
    expect(server.connections).toBe(0);
  });

  it('disconnects a client that does not read', async () => {
    const { server, client } = await start();
    const session = connectHttp2(`http://${formatListenAddress(server.addresses[0]!)}`, {
      settings: { initialWindowSize: 0 },
    });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': Echo.forever.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.end(Buffer.from([0, 0, 0, 0, 1, 7]));
    await until(() => server.openCalls === 1);
    await within(server.stop({ graceMs: 20 }), 'the stop', 3000);
    await until(() => session.destroyed);
    expect(server.connections).toBe(0);
    client.close();
  });

  it('can be called twice', async () => {
    const { server } = await start();
    await Promise.all([server.stop({ graceMs: 100 }), server.stop({ graceMs: 100 })]);
  });
});
