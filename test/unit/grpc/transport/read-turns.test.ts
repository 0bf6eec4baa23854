import { EventEmitter } from 'node:events';
import type { Server } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { ReadTurns } from '../../../../server/src/grpc/transport/read-turns.js';

class FakeSession extends EventEmitter {
  destroyed = false;
  isRead = true;
  readonly socket = {
    _handle: {
      writeQueueSize: 0,
      readStart: () => {
        this.isRead = true;
      },
      readStop: () => {
        this.isRead = false;
      },
    },
  };
}

function readTurns() {
  const http2Server = new EventEmitter();
  const turns = new ReadTurns(() => 0);
  turns.watch({ http2Servers: new Map([[http2Server, {}]]) } as unknown as Server);
  const connect = () => {
    const session = new FakeSession();
    http2Server.emit('session', session);
    return session;
  };
  const open = (session: FakeSession, count: number) =>
    Array.from({ length: count }, () => {
      const stream = Object.assign(new EventEmitter(), { session });
      http2Server.emit('stream', stream);
      return stream;
    });
  const allRead = async () => {
    for (let i = 0; i < 1000 && turns.paused > 0; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(turns.paused).toBe(0);
  };
  return { turns, connect, open, allRead };
}

describe('ReadTurns', () => {
  it('continues to read while a turn starts few streams', () => {
    const { turns, connect, open } = readTurns();
    open(connect(), 31);
    expect(turns.paused).toBe(0);
  });

  it('pauses connections that may start any number of streams, but not one with few', async () => {
    const { connect, open, allRead } = readTurns();
    const [quiet, busy, newcomer] = [connect(), connect(), connect()];
    open(quiet, 1);
    open(busy, 100);
    expect([quiet.isRead, busy.isRead, newcomer.isRead]).toEqual([true, false, false]);
    expect(connect().isRead).toBe(false);
    await allRead();
    expect([quiet.isRead, busy.isRead, newcomer.isRead]).toEqual([true, true, true]);
  });

  it('pauses a connection whose streams all end at once', async () => {
    const { connect, open, allRead } = readTurns();
    const session = connect();
    const streams = open(session, 130);
    await allRead();
    for (const stream of streams.slice(0, 32)) stream.emit('close');
    expect(session.isRead).toBe(false);
  });

  it('lets Node start reading while a write waits for the client', async () => {
    const { connect, open, allRead } = readTurns();
    const session = connect();
    session.socket._handle.writeQueueSize = 1;
    open(session, 100);
    await allRead();
    expect(session.isRead).toBe(false);
  });

  it('forgets a connection that closes while it is paused', () => {
    const { turns, connect, open } = readTurns();
    const session = connect();
    open(session, 100);
    expect(turns.paused).toBe(1);
    session.emit('close');
    expect(turns.paused).toBe(0);
  });

  it('resumes the connection with the fewest started streams first', async () => {
    const { turns, connect, open } = readTurns();
    const [most, fewer] = [connect(), connect()];
    open(most, 200);
    open(fewer, 100);
    for (let i = 0; i < 100 && turns.paused === 2; i++) await new Promise((resolve) => setImmediate(resolve));
    expect([most.isRead, fewer.isRead]).toEqual([false, true]);
  });
});
