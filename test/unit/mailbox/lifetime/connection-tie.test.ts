import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  type ClientConnection,
  ClientPresence,
} from '../../../../server/src/mailbox/lifetime/client-presence.js';
import { Lease } from '../../../../server/src/mailbox/lifetime/lease.js';

class FakeConnection implements ClientConnection {
  readonly callbacks = new Set<(byClient: boolean) => void>();

  onClosed(callback: (byClient: boolean) => void): () => void {
    this.callbacks.add(callback);
    return () => this.callbacks.delete(callback);
  }

  close(byClient: boolean): void {
    for (const callback of this.callbacks) callback(byClient);
    this.callbacks.clear();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function tied() {
  const ended = vi.fn();
  const lease = new Lease(30_000, ended);
  return { lease, tie: new ClientPresence(lease), ended };
}

it('a lease ends 500 ms after the client closed the only connection', () => {
  const { lease, tie, ended } = tied();
  const connection = new FakeConnection();
  tie.usedBy(connection);
  tie.usedBy(connection);
  vi.advanceTimersByTime(20_000);
  connection.close(true);
  expect(lease.isShortened).toBe(true);
  vi.advanceTimersByTime(499);
  expect(ended).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(ended).toHaveBeenCalledOnce();
});

it('a call on a new connection restores the whole lease', () => {
  const { lease, tie, ended } = tied();
  const [first, second] = [new FakeConnection(), new FakeConnection()];
  tie.usedBy(first);
  first.close(true);
  vi.advanceTimersByTime(400);
  lease.touch();
  tie.usedBy(second);
  vi.advanceTimersByTime(29_000);
  expect(ended).not.toHaveBeenCalled();
  second.close(true);
  vi.advanceTimersByTime(501);
  expect(ended).toHaveBeenCalledOnce();
});

it('a lease is not shortened while another connection of the client is open', () => {
  const { lease, tie } = tied();
  const [first, second] = [new FakeConnection(), new FakeConnection()];
  tie.usedBy(first);
  tie.usedBy(second);
  first.close(true);
  expect(lease.isShortened).toBe(false);
});

it('a broken connection keeps the whole lease', () => {
  const { lease, tie, ended } = tied();
  const connection = new FakeConnection();
  tie.usedBy(connection);
  connection.close(false);
  expect(lease.isShortened).toBe(false);
  vi.advanceTimersByTime(29_900);
  expect(ended).not.toHaveBeenCalled();
});

it('a stream that still holds the lease delays the end until the stream ends', () => {
  const { lease, tie, ended } = tied();
  const release = lease.hold();
  const connection = new FakeConnection();
  tie.usedBy(connection);
  connection.close(true);
  vi.advanceTimersByTime(5000);
  expect(ended).not.toHaveBeenCalled();
  release();
  vi.advanceTimersByTime(1);
  expect(ended).toHaveBeenCalledOnce();
});

it('a mailbox that has ended releases its connections', () => {
  const { tie } = tied();
  const connection = new FakeConnection();
  tie.usedBy(connection);
  tie.release();
  expect(connection.callbacks.size).toBe(0);
});
