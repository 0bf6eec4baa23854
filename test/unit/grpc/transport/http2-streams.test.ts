import { EventEmitter } from 'node:events';
import { constants } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { startInTurns } from '../../../../server/src/grpc/transport/http2-streams.js';
import { StreamGate } from '../../../../server/src/grpc/transport/stream-gate.js';
import { FairTurns } from '../../../../server/src/timing/fair-turns.js';

class FakeStream extends EventEmitter {
  destroyed = false;
  closed = false;
  closedWith: number | undefined;

  constructor(readonly session: EventEmitter) {
    super();
  }

  close(code: number): void {
    this.closedWith = code;
    this.closed = true;
    this.emit('close');
  }
}

class FakeSession extends EventEmitter {
  destroyed = false;
  pendingSettingsAck = false;
  readonly advertised: number[] = [];

  settings({ maxConcurrentStreams }: { maxConcurrentStreams: number }): void {
    this.advertised.push(maxConcurrentStreams);
  }
}

/** A server that starts calls in turns, and whose current turn is full. */
function busyServer(maxStreams: number) {
  const http2Server = new EventEmitter();
  const started: FakeStream[] = [];
  http2Server.on('stream', (stream: FakeStream) => started.push(stream));
  const server = { http2Servers: new Map([[http2Server, {}]]) } as unknown as Server;
  const turns = new FairTurns();
  const limits: string[] = [];
  const bounds = { maxStreams, maxConcurrentStreams: 1000, needsCredential: false };
  startInTurns(server, turns);
  new StreamGate(bounds, turns, (limit) => limits.push(limit)).guard(server);
  turns.charge({}, 100);
  const session = () => {
    const made = new FakeSession();
    http2Server.emit('session', made);
    return made;
  };
  const open = (of: EventEmitter, path = '/a.Service/Method') => {
    const stream = new FakeStream(of);
    http2Server.emit('stream', stream, { ':path': path });
    return stream;
  };
  const idle = async () => {
    for (let i = 0; i < 100 && !turns.isFree; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns.isFree).toBe(true);
  };
  return { started, limits, session, open, idle };
}

describe('streams that wait for their turn', () => {
  it('start in a later turn, in their order', async () => {
    const { started, session, open, idle } = busyServer(10);
    const client = session();
    const streams = [open(client), open(client)];
    expect(started).toEqual([]);
    await idle();
    expect(started).toEqual(streams);
  });

  it('do not start when the client has reset them meanwhile, and an error ends nothing', async () => {
    const { started, session, open, idle } = busyServer(10);
    const stream = open(session());
    stream.emit('error', new Error('reset'));
    stream.closed = true;
    await idle();
    expect(started).toEqual([]);
  });

  it('of a connection with many yield to a connection with few', async () => {
    const { started, limits, session, open, idle } = busyServer(3);
    const flooding = session();
    const [first, second, third] = [open(flooding), open(flooding), open(flooding)];
    const newcomer = open(session());
    expect(third?.closedWith).toBe(constants.NGHTTP2_REFUSED_STREAM);
    await idle();
    expect(new Set(started)).toEqual(new Set([newcomer, first, second]));
    expect(limits).toEqual([]);
  });

  it('are rejected above the limit when no connection has more of them', async () => {
    const { started, limits, session, open, idle } = busyServer(3);
    const client = session();
    const streams = [open(client), open(client), open(client), open(client)];
    await idle();
    expect(started).toEqual(streams.slice(0, 3));
    expect(streams[3]?.closedWith).toBe(constants.NGHTTP2_REFUSED_STREAM);
    expect(limits).toEqual(['limits.maxCalls']);
  });
});

describe('the allowed streams of a connection', () => {
  it('grow while it uses most of them', () => {
    const { session, open } = busyServer(10_000);
    const client = session();
    for (let i = 0; i < 51; i++) open(client);
    expect(client.advertised).toEqual([200]);
  });

  it('do not grow before the client has acknowledged the last SETTINGS', () => {
    const { session, open } = busyServer(10_000);
    const client = session();
    client.pendingSettingsAck = true;
    for (let i = 0; i < 90; i++) open(client);
    expect(client.advertised).toEqual([]);
  });

  it('are few for a new connection while others have most of them', () => {
    const { session, open, limits } = busyServer(200);
    const flooding = session();
    for (let i = 0; i < 180; i++) open(flooding);
    expect(session().advertised).toEqual([16]);
    expect(limits).toEqual([]);
  });

  it('leave room for a new connection beside connections that use all', () => {
    const { session, open, limits } = busyServer(200);
    const flooding = [session(), session(), session()];
    for (let i = 0; i < 200; i++) for (const client of flooding) open(client);
    const before = limits.length;
    expect(before).toBeGreaterThan(0);
    const newcomer = session();
    for (let i = 0; i < 4; i++) expect(open(newcomer).closed).toBe(false);
    expect(limits).toHaveLength(before);
  });
});

describe('streams of health', () => {
  const watch = '/grpc.health.v1.Health/Watch';

  it('do not reduce the share of their connection, and do not count in it', () => {
    const { session, open, limits } = busyServer(80);
    const client = session();
    for (let i = 0; i < 999; i++) {
      open(client, watch);
      expect(client.advertised.at(-1) ?? 100).toBeGreaterThan(i + 1);
    }
    expect(client.advertised.at(-1)).toBe(1000);
    expect(limits).toEqual([]);
  });

  it('have room while all other streams are in use, and release it when they close', () => {
    const { session, open, limits } = busyServer(80);
    const [client, other] = [session(), session()];
    for (let i = 0; i < 80; i++) open(client);
    const [watching] = Array.from({ length: 1256 }, () => open(other, watch));
    expect(limits).toEqual([]);
    open(other, watch);
    expect(limits).toEqual(['limits.maxCalls']);
    watching?.close(constants.NGHTTP2_NO_ERROR);
    open(other, watch);
    expect(limits).toHaveLength(1);
  });

  it('of one connection leave room for the probes of another', () => {
    const { session, open, limits } = busyServer(80);
    const [flooding, probe] = [session(), session()];
    open(probe, watch);
    for (let i = 0; i < 1300; i++) open(flooding, watch);
    const before = limits.length;
    expect(before).toBeGreaterThan(0);
    for (let i = 0; i < 4; i++) open(probe, watch);
    expect(limits).toHaveLength(before);
  });
});

describe('work that counts against a connection', () => {
  it('a call of reflection counts as 16 small calls', async () => {
    const http2Server = new EventEmitter();
    const turns = new FairTurns();
    const charges: number[] = [];
    const charge = turns.charge.bind(turns);
    turns.charge = (connection, cost) => {
      charges.push(cost);
      charge(connection, cost);
    };
    http2Server.on('stream', () => {});
    startInTurns({ http2Servers: new Map([[http2Server, {}]]) } as unknown as Server, turns);
    const stream = new FakeStream(new FakeSession());
    http2Server.emit('stream', stream, {
      ':path': '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    });
    expect(charges).toEqual([15]);
    expect(turns.isFree).toBe(false);
  });
});
