import { constants } from 'node:http2';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { observedCall } from '../../../../server/src/grpc/calls/observed-call.js';
import { EdgeError } from '../../../../server/src/grpc/codec/edge-error.js';
import { BatchFrame } from '../../../../server/src/grpc/codec/receive-frames.js';
import { FakeServer, fakeSession, reasonOf } from './fake-server-call.js';

const done = () => {};
const slow = () => new EdgeError('REQUEST_TIMEOUT', 'the request did not arrive');
const OK = { code: status.OK, details: '', metadata: null };
const batch = () =>
  new BatchFrame({
    buffers: [Buffer.from('ab'), Buffer.from('c')],
    bytes: 3,
    firstSequence: 1,
    lastSequence: 2,
    queuedAtMs: undefined,
    release: () => {},
  });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the status of a call', () => {
  it('that its handler sends finishes the call once', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('GetView');
    call.sendStatus(OK);
    base.listener?.onCancel();
    expect(base.statuses).toEqual([OK]);
    expect(server.events).toEqual(['GetView started', 'GetView finished 0']);
    expect(server.calls.size).toBe(0);
  });

  it('that grpc-js sends from below the interceptors finishes the call, with the contract’s details', () => {
    const server = new FakeServer();
    const { base } = server.begin('GetView');
    base.sendStatus({ code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' });
    base.listener?.onCancel();
    expect(base.statuses).toHaveLength(1);
    expect(base.statuses[0]?.code).toBe(status.DEADLINE_EXCEEDED);
    expect(reasonOf(base.statuses[0])).toBe('DEADLINE_EXCEEDED');
    expect(server.events).toEqual(['GetView started', `GetView finished ${status.DEADLINE_EXCEEDED}`]);
  });

  it('that grpc-js sends for a request that is too large names the limit', () => {
    const server = new FakeServer();
    const { base } = server.begin('GetView');
    base.sendStatus({
      code: status.RESOURCE_EXHAUSTED,
      details: 'Received message larger than max (9 vs. 4)',
    });
    expect(reasonOf(base.statuses[0])).toBe('REQUEST_TOO_LARGE');
    expect(server.events).toContain('limit grpc.maxReceiveMessageBytes');
  });

  it('is CANCELLED when the client resets the stream, and the handler is notified', () => {
    const server = new FakeServer();
    const { base, handler } = server.begin('GetView');
    base.listener?.onCancel();
    expect(handler.calls).toEqual(['metadata', 'cancel']);
    expect(server.events).toEqual(['GetView started', `GetView finished ${status.CANCELLED}`]);
  });

  it('is CANCELLED when the stream was reset before the call began', () => {
    const server = new FakeServer();
    const { base, start, handler } = server.make('GetView');
    base.begins = false;
    start();
    expect(handler.calls).toEqual([]);
    expect(server.events).toEqual(['GetView started', `GetView finished ${status.CANCELLED}`]);
  });

  it('is reported to its one listener, also when another part sends it', () => {
    const { call, base } = new FakeServer().begin('Receive');
    let finished = 0;
    call.onFinished(() => void finished++);
    base.sendStatus({ code: status.UNAVAILABLE, details: 'gone' });
    base.listener?.onCancel();
    expect(finished).toBe(1);
  });
});

describe('the properties of a call', () => {
  it('are found by the metadata that its handler receives', () => {
    const { call, base } = new FakeServer().begin('GetView');
    expect(observedCall(base.metadata)).toBe(call);
    expect(call.caller).toBe('tcp');
    expect(() => observedCall(new Metadata())).toThrow('lacks the interceptor');
  });

  it('include the deadline by the monotonic clock', () => {
    const { base, start, call } = new FakeServer().make('GetView');
    expect(call.deadlineAt).toBe(Number.POSITIVE_INFINITY);
    base.deadline = new Date(Date.now() + 5000);
    start();
    // The wall clock changes during the call.
    const expected = performance.now() + 5000;
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(call.deadlineAt).toBeCloseTo(expected, 0);
  });
});

describe('the input for which a call waits', () => {
  it('is the whole request of a unary call', () => {
    const { call, base } = new FakeServer().begin('GetView');
    expect(call.awaitsRequest).toBe(true);
    base.listener?.onReceiveMessage('request');
    expect(call.awaitsRequest).toBe(true);
    base.listener?.onReceiveHalfClose();
    expect(call.awaitsRequest).toBe(false);
  });

  it('is the first request of a stream of requests', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    expect(call.awaitsRequest).toBe(true);
    base.listener?.onReceiveMessage('open');
    expect(call.awaitsRequest).toBe(false);
  });

  it('is nothing for a stream of requests that ends before its first', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    base.listener?.onReceiveHalfClose();
    expect(call.awaitsRequest).toBe(false);
  });

  it('is the read of the response, for a unary call with a response', () => {
    const { call, base } = new FakeServer().begin('GetView');
    expect(call.isResponseComplete).toBe(false);
    base.messageBytes = 10;
    call.sendMessage('response', done);
    expect(call.isResponseComplete).toBe(true);
  });

  it('does not include the responses of a stream before its status', () => {
    const { call, base } = new FakeServer().begin('Receive');
    base.messageBytes = 10;
    call.sendMessage(Buffer.from('attached'), done);
    expect(call.isResponseComplete).toBe(false);
    call.sendStatus(OK);
    expect(call.isResponseComplete).toBe(true);
  });
});

describe('reads', () => {
  it('pass through until they are allowed one at a time', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    for (let i = 0; i < 3; i++) call.startRead();
    expect(base.reads).toBe(3);
  });

  it('happen once for each allowRead, before or after it', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    call.readOneAtATime();
    call.startRead();
    expect(base.reads).toBe(1);
    call.startRead();
    expect(base.reads).toBe(1);
    call.allowRead();
    expect(base.reads).toBe(2);
    call.allowRead();
    expect(base.reads).toBe(2);
    call.startRead();
    expect(base.reads).toBe(3);
    call.startRead();
    expect(base.reads).toBe(3);
  });

  it('cannot be accumulated: allowRead twice allows one', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    call.readOneAtATime();
    call.startRead();
    call.allowRead();
    call.allowRead();
    call.startRead();
    call.startRead();
    expect(base.reads).toBe(2);
  });
});

describe('bytes of a request', () => {
  const frame = Buffer.from([0, 0, 0, 0, 3, 1, 2, 3]);

  it('are counted from their arrival until the next frame is allowed', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    call.readOneAtATime();
    base.stream.emit('data', frame);
    expect(call.bufferedBytes).toBe(8);
    base.listener?.onReceiveMessage('open');
    expect(call.bufferedBytes).toBe(8);
    call.allowRead();
    expect(call.bufferedBytes).toBe(0);
  });

  it('of a stream without such a limit are counted until the handler has them', () => {
    const { call, base } = new FakeServer().begin('MulticastStream');
    base.stream.emit('data', frame);
    base.listener?.onReceiveMessage('open');
    expect(call.bufferedBytes).toBe(0);
  });

  it('of a unary call are counted until its status', () => {
    const { call, base } = new FakeServer().begin('Multicast');
    base.stream.emit('data', frame);
    base.listener?.onReceiveMessage('request');
    base.listener?.onReceiveHalfClose();
    expect(call.bufferedBytes).toBe(8);
    call.sendStatus(OK);
    expect(call.bufferedBytes).toBe(0);
  });

  it('that are compressed end the call where compression is off, and none of them passes', () => {
    const { base, handler } = new FakeServer().begin('Multicast');
    base.stream.emit('data', Buffer.from([1, 0, 0, 0, 1, 9]));
    expect(reasonOf(base.statuses[0])).toBe('COMPRESSION_NOT_SUPPORTED');
    expect(base.statuses[0]?.metadata?.get('grpc-accept-encoding')).toEqual(['identity']);
    expect(handler.calls).toEqual(['metadata']);
  });

  it('that are compressed are accepted where compression is on', () => {
    const { base } = new FakeServer({ compression: true }).begin('Multicast');
    base.stream.emit('data', Buffer.from([1, 0, 0, 0, 1, 9]));
    expect(base.statuses).toEqual([]);
  });

  it('above the limit of a health check end the call', () => {
    const server = new FakeServer();
    const { base } = server.begin('Check');
    base.stream.emit('data', Buffer.from([0, 0, 0, 0x10, 1]));
    expect(reasonOf(base.statuses[0])).toBe('REQUEST_TOO_LARGE');
    expect(server.events).toContain('limit http2.smallRequests');
    expect(base.stream.closedWith).toEqual([constants.NGHTTP2_NO_ERROR]);
  });
});

describe('messages of a call', () => {
  it('are not sent after its status', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('Receive');
    call.sendStatus(OK);
    call.sendMessage('late', done);
    expect(base.messages).toEqual([]);
    expect(server.events).not.toContain('Receive sent');
  });

  it('are not sent when the stream is closed', () => {
    const { call, base } = new FakeServer().begin('Receive');
    base.stream.closed = true;
    call.sendMessage('late', done);
    expect(base.messages).toEqual([]);
  });

  it('are counted in each direction', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('MulticastStream');
    base.listener?.onReceiveMessage('open');
    call.sendMessage('answer', done);
    expect(server.events).toEqual([
      'MulticastStream started',
      'MulticastStream received',
      'MulticastStream sent',
    ]);
  });

  it('that are batches go to the stream without a copy, after the headers', () => {
    const { call, base } = new FakeServer().begin('Receive');
    // The first message sends the headers through grpc-js.
    const first = batch();
    call.sendMessage(first, done);
    expect(base.messages).toEqual([first]);
    let taken = 0;
    call.sendMessage(batch(), () => void taken++);
    expect(Buffer.concat(base.stream.written)).toEqual(
      Buffer.from([0, 0, 0, 0, 5, 0x12, 3, ...Buffer.from('abc')]),
    );
    expect(taken).toBe(0);
    base.stream.flush();
    expect(taken).toBe(1);
  });

  it('that cannot be written end the call', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('Receive');
    base.stream.headersSent = true;
    let taken = 0;
    call.sendMessage(batch(), () => void taken++);
    base.stream.flush(new Error('broken'));
    expect(taken).toBe(0);
    expect(server.events).toContain(`Receive finished ${status.INTERNAL}`);
  });
});

describe('responses that the client does not read', () => {
  it('count against their connection until the stream closes', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('GetView');
    base.messageBytes = 300;
    call.sendMessage('response', done);
    expect(server.responses.used).toBe(300);
    base.stream.writableLength = 100;
    call.noteUnsent();
    expect(server.responses.used).toBe(100);
    call.sendStatus(OK);
    expect(server.responses.used).toBe(100);
    base.stream.end();
    expect(server.responses.used).toBe(0);
  });

  it('end a call when its connection exceeds its share', () => {
    const server = new FakeServer({ responseBytes: 1000 });
    const session = fakeSession();
    const second = server.begin('GetView', session);
    const first = server.begin('GetView', session);
    first.base.messageBytes = 600;
    first.call.sendMessage('response', done);
    second.call.sendMessage('response', done);
    expect(second.base.messages).toEqual([]);
    expect(reasonOf(second.base.statuses[0])).toBe('TOO_MANY_CALLS');
    expect(server.events).toContain('limit limits.maxUnsentResponseBytes');
    // Another connection still has room.
    const other = server.begin('GetView', fakeSession());
    other.call.sendMessage('response', done);
    expect(other.base.messages).toEqual(['response']);
  });

  it('do not delay the outcome of a send', () => {
    const server = new FakeServer({ responseBytes: 1000 });
    const session = fakeSession();
    const send = server.begin('Multicast', session);
    const first = server.begin('GetView', session);
    first.base.messageBytes = 600;
    first.call.sendMessage('response', done);
    send.call.sendMessage('response', done);
    expect(send.base.messages).toEqual(['response']);
  });

  it('of Receive count in the queues of mailboxes instead', () => {
    const server = new FakeServer();
    const { call, base } = server.begin('Receive');
    base.messageBytes = 300;
    call.sendMessage(Buffer.from('attached'), done);
    expect(server.responses.used).toBe(0);
  });

  it('that are large are counted in the turns of their connection', () => {
    const server = new FakeServer();
    const charge = vi.spyOn(server.turns, 'charge');
    const session = fakeSession();
    const { call, base } = server.begin('Multicast', session);
    base.messageBytes = 2048;
    call.sendMessage('small', done);
    expect(charge).not.toHaveBeenCalled();
    base.messageBytes = 4096;
    call.sendMessage('large', done);
    expect(charge).toHaveBeenCalledExactlyOnceWith(session, 2);
  });
});

describe('a failure from outside the handler', () => {
  it('before the first response also tells the client to send no more', () => {
    const { base, call } = new FakeServer().begin('GetView');
    call.fail(slow());
    expect(base.statuses).toHaveLength(1);
    expect(base.stream.closedWith).toEqual([constants.NGHTTP2_NO_ERROR]);
  });

  it('after the first response is a status, and the stream is not reset', () => {
    const { base, call } = new FakeServer().begin('Receive');
    base.stream.headersSent = true;
    call.fail(slow());
    expect(base.statuses).toHaveLength(1);
    expect(base.stream.closedWith).toEqual([]);
  });

  it('that abandons the call resets its stream', () => {
    const { base, call } = new FakeServer().begin('Receive');
    call.abandon();
    expect(base.stream.closedWith).toEqual([constants.NGHTTP2_CANCEL]);
  });
});
