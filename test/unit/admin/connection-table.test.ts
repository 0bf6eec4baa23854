import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionTable } from '../../../server/src/admin/connection-table.js';

/** A socket that closes when it is destroyed. */
function connectionFrom(remoteAddress: string): Socket {
  const socket = Object.assign(new EventEmitter(), { remoteAddress, destroyed: false, destroy: () => {} });
  socket.destroy = () => {
    socket.destroyed = true;
    socket.emit('close');
  };
  return socket as unknown as Socket;
}

describe('a table of connections with a soft bound of 2 and a hard bound of 4', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function tableOf(...addresses: string[]) {
    const evicted: string[] = [];
    const table = new ConnectionTable({ soft: 2, hard: 4 }, (address) => evicted.push(address));
    const sockets = addresses.map(connectionFrom);
    for (const socket of sockets) table.add(socket);
    return { table, sockets, evicted, closed: () => sockets.map(({ destroyed }) => destroyed) };
  }

  it('keeps as many connections as the hard bound, for a moment', () => {
    const { closed } = tableOf('a', 'a', 'a', 'a');
    expect(closed()).toEqual([false, false, false, false]);
  });

  it('immediately closes the oldest connection above the hard bound', () => {
    const { closed, evicted } = tableOf('a', 'a', 'a', 'a', 'b');
    expect(closed()).toEqual([true, false, false, false, false]);
    expect(evicted).toEqual(['a']);
  });

  it('closes the connections above the soft bound one after the other', () => {
    const { table, closed } = tableOf('a', 'a', 'b', 'a');
    vi.advanceTimersToNextTimer();
    expect(closed()).toEqual([true, false, false, false]);
    vi.advanceTimersToNextTimer();
    expect(closed()).toEqual([true, true, false, false]);
    expect(vi.getTimerCount()).toBe(0);
    expect(table.size).toBe(2);
  });

  it('closes no connection when enough of them closed themselves', () => {
    const { table, sockets, evicted } = tableOf('a', 'a', 'a');
    sockets[1]!.destroy();
    vi.runAllTimers();
    expect(evicted).toEqual([]);
    expect(table.size).toBe(2);
  });

  it('closes the connection that was unused for the longest time', () => {
    const { table, sockets, closed } = tableOf('a', 'a', 'a');
    table.used(sockets[0]!);
    vi.runAllTimers();
    expect(closed()).toEqual([false, true, false]);
  });
});
