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

/** A server that starts calls in turns, whose current turn is used up. */
function busyServer(maxStreams: number) {
  const http2Server = new EventEmitter();
  const started: FakeStream[] = [];
  http2Server.on('stream', (stream: FakeStream) => started.push(stream));
  const server = { http2Servers: new Map([[http2Server, {}]]) } as unknown as Server;
  const turns = new FairTurns();
  const limits: string[] = [];
  const bounds = { maxStreams, maxConcurrentStreams: 100, needsCredential: false };
  startInTurns(server, turns);
  new StreamGate(bounds, turns, (limit) => limits.push(limit)).guard(server);
  turns.charge({}, 100);
  const session = () => {
    const made = new EventEmitter();
    http2Server.emit('session', made);
    return made;
  };
  const open = (of: EventEmitter) => {
    const stream = new FakeStream(of);
    http2Server.emit('stream', stream, { ':path': '/a.Service/Method' });
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

  it('of a connection with many give way to a connection with few', async () => {
    const { started, limits, session, open, idle } = busyServer(3);
    const flooding = session();
    const [first, second, third] = [open(flooding), open(flooding), open(flooding)];
    const newcomer = open(session());
    expect(third?.closedWith).toBe(constants.NGHTTP2_REFUSED_STREAM);
    await idle();
    expect(new Set(started)).toEqual(new Set([newcomer, first, second]));
    expect(limits).toEqual([]);
  });

  it('are refused above the bound when no connection has more of them', async () => {
    const { started, limits, session, open, idle } = busyServer(3);
    const client = session();
    const streams = [open(client), open(client), open(client), open(client)];
    await idle();
    expect(started).toEqual(streams.slice(0, 3));
    expect(streams[3]?.closedWith).toBe(constants.NGHTTP2_REFUSED_STREAM);
    expect(limits).toEqual(['limits.maxCalls']);
  });
});
