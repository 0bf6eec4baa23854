import { constants } from 'node:http2';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Admission, CallGate } from '../../../../server/src/grpc/calls/call-gate.js';
import { EdgeError } from '../../../../server/src/grpc/codec/edge-error.js';
import { drainingStatus } from '../../../../server/src/grpc/codec/status.js';
import { FakeServer, fakeSession, reasonOf } from './fake-server-call.js';

const OK = { code: status.OK, details: '', metadata: null };

/** A gate that the test controls. */
class FakeGate implements CallGate {
  readonly needsCredential = true;
  admission: Admission = { caller: 'token:app', credential: Buffer.from('digest') };
  error: Error | undefined;
  isRevoked = false;

  admit(): Admission {
    if (this.error !== undefined) throw this.error;
    return this.admission;
  }

  stillAdmits({ credential }: Admission): boolean {
    return credential === undefined || !this.isRevoked;
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a call that is rejected', () => {
  it('never reaches its handler, for any input of the client', () => {
    const gate = new FakeGate();
    gate.error = new EdgeError('CREDENTIAL_MISSING', 'a token is required', { field: 'authorization' });
    const server = new FakeServer({ gate });
    const { base, handler } = server.begin('Multicast');
    expect(base.statuses[0]?.code).toBe(status.UNAUTHENTICATED);
    expect(reasonOf(base.statuses[0])).toBe('CREDENTIAL_MISSING');
    // Later input of the client is discarded.
    expect(base.stream.closedWith).toEqual([constants.NGHTTP2_NO_ERROR]);
    base.listener?.onCancel();
    expect(handler.calls).toEqual([]);
    expect(server.events).toEqual([
      'Multicast started',
      'refused Multicast CREDENTIAL_MISSING',
      `Multicast finished ${status.UNAUTHENTICATED}`,
    ]);
  });

  it('does not count in any limit', () => {
    const gate = new FakeGate();
    gate.error = new EdgeError('CREDENTIAL_INVALID', 'the token is not accepted');
    const server = new FakeServer({ gate });
    const { base } = server.begin('Multicast');
    expect(server.limits.calls).toBe(0);
    base.stream.end();
    expect(server.limits.calls).toBe(0);
    expect(server.calls.size).toBe(0);
  });

  it('because of a limit is reported as that limit', () => {
    const server = new FakeServer({ calls: { maxCalls: 1 } });
    server.begin('GetView');
    const second = server.begin('GetView', fakeSession());
    expect(reasonOf(second.base.statuses[0])).toBe('TOO_MANY_CALLS');
    expect(second.handler.calls).toEqual([]);
    expect(server.events).toContain('limit limits.maxCalls');
    expect(server.events.some((line) => line.startsWith('refused'))).toBe(false);
  });

  it('because its connection is closed is UNAVAILABLE', () => {
    const server = new FakeServer();
    const { base, handler } = server.begin('GetView', {});
    expect(base.statuses[0]?.code).toBe(status.UNAVAILABLE);
    expect(handler.calls).toEqual([]);
    expect(server.calls.size).toBe(0);
  });

  it('because its connection does not read its responses reports that nothing was sent', () => {
    const server = new FakeServer({ responseBytes: 1000 });
    const session = fakeSession();
    const { call, base } = server.begin('GetView', session);
    base.messageBytes = 600;
    call.sendMessage('response', () => {});
    const second = server.begin('GetView', session);
    expect(reasonOf(second.base.statuses[0])).toBe('TOO_MANY_CALLS');
    expect(second.handler.calls).toEqual([]);
    // Probes and other connections always get a response.
    expect(server.begin('Check', session).handler.calls).toEqual(['metadata']);
    expect(server.begin('GetView', fakeSession()).handler.calls).toEqual(['metadata']);
  });

  it('by an unexpected error of the gate is reported', () => {
    const gate = new FakeGate();
    gate.error = new Error('a defect');
    expect(() => new FakeServer({ gate }).begin('GetView')).toThrow('a defect');
  });
});

describe('an accepted call', () => {
  it('reports that its connection has authenticated, only with a credential', () => {
    const gate = new FakeGate();
    const server = new FakeServer({ gate });
    server.begin('GetView');
    expect(server.events).toEqual(['GetView started', 'proven']);
    gate.admission = { caller: 'tcp' };
    server.begin('GetView');
    expect(server.events.filter((line) => line === 'proven')).toHaveLength(1);
  });

  it('counts in the limits until its stream closes, not only until its status', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('GetView');
    expect(server.limits.calls).toBe(1);
    call.sendStatus(OK);
    expect(server.calls.size).toBe(0);
    expect(server.limits.calls).toBe(1);
    base.stream.end();
    expect(server.limits.calls).toBe(0);
    base.stream.emit('close');
    expect(server.limits.calls).toBe(0);
  });

  it('is counted once in every order of its end', () => {
    const server = new FakeServer();
    const orders: ((made: ReturnType<FakeServer['begin']>) => void)[][] = [
      [(m) => m.call.sendStatus(OK), (m) => m.base.listener?.onCancel(), (m) => m.base.stream.end()],
      [(m) => m.base.listener?.onCancel(), (m) => m.call.sendStatus(OK), (m) => m.base.stream.end()],
      [(m) => m.base.stream.end(), (m) => m.base.listener?.onCancel(), (m) => m.call.sendStatus(OK)],
      [(m) => m.base.stream.end(), (m) => m.call.sendStatus(OK), (m) => m.base.listener?.onCancel()],
    ];
    for (const order of orders) {
      const made = server.begin('GetView');
      for (const step of order) step(made);
    }
    expect(server.events.filter((line) => line === 'GetView started')).toHaveLength(4);
    expect(server.events.filter((line) => line.startsWith('GetView finished'))).toHaveLength(4);
    expect(server.limits.calls).toBe(0);
    expect(server.limits.clients).toBe(0);
    expect(server.calls.size).toBe(0);
  });

  it('of a probe is accepted above the limits', () => {
    const server = new FakeServer({ calls: { maxCalls: 1 } });
    server.begin('GetView');
    const { handler } = server.begin('Check', fakeSession());
    expect(handler.calls).toEqual(['metadata']);
    expect(server.limits.calls).toBe(2);
  });
});

describe('endAll', () => {
  it('ends every open call with the status, once, also one that has not started', () => {
    const server = new FakeServer();
    const open = [server.begin('Receive'), server.begin('Multicast'), server.make('GetView')];
    const ended = server.begin('GetView');
    ended.call.sendStatus(OK);
    server.calls.endAll(drainingStatus());
    server.calls.endAll(drainingStatus());
    for (const { base } of open) expect(base.statuses.map(reasonOf)).toEqual(['DRAINING']);
    expect(ended.base.statuses).toEqual([OK]);
    expect(server.calls.size).toBe(0);
  });
});

describe('endOf', () => {
  it('ends the calls of one connection, and reports that a unary call may have been processed', () => {
    const server = new FakeServer();
    const session = fakeSession();
    const stream = server.begin('Receive', session);
    const send = server.begin('Multicast', session);
    const other = server.begin('Receive', fakeSession());
    server.calls.endOf(session as never);
    expect(stream.base.statuses.map(reasonOf)).toEqual(['CONNECTION_TOO_OLD']);
    expect(send.base.statuses.map(reasonOf)).toEqual(['CONNECTION_TOO_OLD']);
    expect(other.base.statuses).toEqual([]);
    expect(server.calls.size).toBe(1);
    const details = ({ base }: typeof send) =>
      String(base.statuses[0]?.metadata?.get('grpc-status-details-bin')[0]);
    expect(details(send)).toContain('outcome');
    expect(details(stream)).not.toContain('outcome');
  });
});

describe('recheck', () => {
  it('ends only the calls whose credential is not accepted any more', () => {
    const gate = new FakeGate();
    const server = new FakeServer({ gate });
    const revoked = server.begin('Receive');
    gate.admission = { caller: 'tcp' };
    const probe = server.begin('Check');
    const notBegun = server.make('GetView');
    server.calls.recheck();
    expect(server.calls.size).toBe(3);
    gate.isRevoked = true;
    server.calls.recheck();
    expect(revoked.base.statuses.map(reasonOf)).toEqual(['CREDENTIAL_INVALID']);
    expect(revoked.base.statuses[0]?.code).toBe(status.UNAUTHENTICATED);
    expect(probe.base.statuses).toEqual([]);
    expect(notBegun.base.statuses).toEqual([]);
    expect(server.events).toContain('refused Receive CREDENTIAL_INVALID');
    server.calls.recheck();
    expect(revoked.base.statuses).toHaveLength(1);
  });
});

describe('whenIdle', () => {
  it('resolves immediately without calls', async () => {
    await expect(new FakeServer().calls.whenIdle()).resolves.toBeUndefined();
  });

  it('resolves for all waiting callers when the last call has its status', async () => {
    const server = new FakeServer();
    const [first, second] = [server.begin('GetView'), server.begin('Receive')];
    let idle = 0;
    const waits = [server.calls.whenIdle(), server.calls.whenIdle()].map((wait) =>
      wait.then(() => void idle++),
    );
    first.call.sendStatus(OK);
    await Promise.resolve();
    expect(idle).toBe(0);
    second.base.listener?.onCancel();
    await Promise.all(waits);
    expect(idle).toBe(2);
    // This call also waits for the next one.
    const third = server.begin('GetView');
    const wait = server.calls.whenIdle().then(() => void idle++);
    await Promise.resolve();
    expect(idle).toBe(2);
    third.call.sendStatus(OK);
    await wait;
    expect(idle).toBe(3);
  });
});

describe('the sweep over open calls', () => {
  it('ends a call whose request does not arrive', () => {
    const server = new FakeServer();
    const { base } = server.begin('Multicast');
    const { base: complete } = server.begin('GetView');
    complete.listener?.onReceiveMessage('request');
    complete.listener?.onReceiveHalfClose();
    vi.advanceTimersByTime(59_000);
    expect(base.statuses).toEqual([]);
    vi.advanceTimersByTime(2_000);
    expect(base.statuses.map(reasonOf)).toEqual(['REQUEST_TIMEOUT']);
    expect(complete.statuses).toEqual([]);
    expect(server.events).toContain('limit limits.requestTimeout');
  });

  it('resets the stream of a finished call that its client does not read', () => {
    const server = new FakeServer();
    const { base, call } = server.begin('GetView');
    base.messageBytes = 100;
    call.sendMessage('response', () => {});
    call.sendStatus(OK);
    vi.advanceTimersByTime(61_000);
    expect(base.stream.closedWith).toEqual([constants.NGHTTP2_CANCEL]);
    expect(server.events).toContain('limit limits.stallTimeout');
  });

  it('stops when the last stream closes', () => {
    const server = new FakeServer();
    const { base, call } = server.begin('GetView');
    call.sendStatus(OK);
    expect(vi.getTimerCount()).toBe(1);
    base.stream.end();
    expect(vi.getTimerCount()).toBe(0);
  });
});
