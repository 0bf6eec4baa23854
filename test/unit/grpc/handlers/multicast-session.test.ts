import { status } from '@grpc/grpc-js';
import type { MulticastStreamRequest } from 'spread-sidecar-proto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Malformed, Undecoded } from '../../../../server/src/grpc/codec/malformed.js';
import type { IncomingFrame } from '../../../../server/src/grpc/handlers/multicast-session.js';
import { MailboxError } from '../../../../server/src/mailbox/sidecar-error.js';
import { SpreadError } from '../../../../server/src/spread/spread-error.js';
import {
  badMessage,
  batchFrame,
  FakeMulticastStream,
  message,
  openFrame,
  times,
} from './fake-multicast-stream.js';

const expired = () => new MailboxError('LEASE_EXPIRED', 'the lease of the mailbox expired');
afterEach(() => void vi.useRealTimers());

const texts = (count: number) => times(count, String);

describe('the first frame of a MulticastStream', () => {
  it('opens the mailbox, is answered, and allows the next frame', () => {
    const stream = FakeMulticastStream.open();
    expect(stream.opened).toEqual(['box']);
    expect(stream.mailbox.holds).toBe(1);
    expect(stream.counts).toEqual([[0, 0]]);
    expect(stream.reads).toBe(1);
  });

  it.each<[what: string, frame: IncomingFrame, reason: string]>([
    ['a batch', batchFrame(['a']), 'FIELD_INVALID'],
    ['no open and no batch', { frame: undefined }, 'FIELD_REQUIRED'],
    ['open without a mailbox', openFrame(undefined), 'FIELD_REQUIRED'],
    ['malformed', new Malformed('it is not in the protobuf wire format'), 'MALFORMED_REQUEST'],
  ])('that is %s ends the call, opens nothing and has no response', (_what, frame, reason) => {
    const stream = new FakeMulticastStream();
    stream.frame(frame);
    expect(stream.reasons).toEqual([reason]);
    expect(stream.errors[0]?.code).toBe(status.INVALID_ARGUMENT);
    expect(stream.opened).toEqual([]);
    expect(stream.answers).toEqual([]);
    expect(stream.reads).toBe(0);
    // A client may have sent more before it gets the status.
    stream.frame(openFrame('box'));
    expect(stream.opened).toEqual([]);
    expect(stream.errors).toHaveLength(1);
  });

  it('ends the call with the error of a mailbox that cannot be found', () => {
    const stream = new FakeMulticastStream();
    stream.openError = new SpreadError('ILLEGAL_SESSION', 'there is no such mailbox');
    stream.frame(openFrame('other'));
    expect(stream.reasons).toEqual(['ILLEGAL_SESSION']);
    expect(stream.answers).toEqual([]);
    expect(stream.mailbox.endListeners).toBe(0);
  });
});

describe('a later frame', () => {
  it('that is open again ends the call, reports the decided count and releases the mailbox', () => {
    const stream = FakeMulticastStream.open();
    stream.batch('a', 'b');
    stream.mailbox.take();
    stream.frame(openFrame('box'));
    expect(stream.reasons).toEqual(['FIELD_INVALID']);
    expect(stream.opened).toEqual(['box']);
    expect(stream.counts.at(-1)).toEqual([2, 2]);
    expect(stream.mailbox.holds).toBe(0);
    expect(stream.mailbox.endListeners).toBe(0);
  });

  it('with too many messages ends the call, and none of them is sent or counted in the rate', () => {
    const stream = FakeMulticastStream.open({ maxBatchMessages: 3 });
    stream.batch(...texts(3));
    stream.mailbox.take();
    stream.batch(...texts(4));
    expect(stream.reasons).toEqual(['LIMIT_OUT_OF_RANGE']);
    expect(stream.mailbox.sent).toHaveLength(3);
    expect(stream.spentMessages).toEqual([3]);
  });

  it('is ignored once the call has its status', () => {
    const stream = FakeMulticastStream.open();
    stream.frame(new Malformed('it is broken'));
    const answers = stream.answers.length;
    stream.batch('late');
    stream.session.onHalfClose();
    expect(stream.mailbox.sent).toEqual([]);
    expect(stream.answers).toHaveLength(answers);
    expect(stream.isEnded).toBe(false);
    expect(stream.errors).toHaveLength(1);
  });

  it('that is large is decoded in its turn, and counts with its size', () => {
    const stream = FakeMulticastStream.open();
    stream.defersTurns = true;
    stream.frame(new Undecoded(Buffer.alloc(20_480), () => batchFrame(['a']) as never));
    expect(stream.mailbox.sent).toEqual([]);
    expect(stream.turns.map(({ expected }) => expected)).toEqual([10]);
    stream.runTurn();
    expect(stream.mailbox.texts).toEqual(['a']);
  });

  it('that is large and malformed ends the call', () => {
    const stream = FakeMulticastStream.open();
    stream.frame(new Undecoded<MulticastStreamRequest>(Buffer.alloc(1), () => new Malformed('it is broken')));
    expect(stream.reasons).toEqual(['MALFORMED_REQUEST']);
  });

  it('that waits for its turn is not decoded after a cancel', () => {
    const stream = FakeMulticastStream.open();
    stream.defersTurns = true;
    let decoded = 0;
    stream.frame(
      new Undecoded(Buffer.alloc(1), () => {
        decoded++;
        return batchFrame(['a']) as never;
      }),
    );
    stream.session.cancel();
    stream.runTurn();
    expect(decoded).toBe(0);
    expect(stream.mailbox.sent).toEqual([]);
  });
});

describe('the response to a batch', () => {
  it('is sent when the last message is decided, and only then allows the next frame', () => {
    const stream = FakeMulticastStream.open();
    stream.batch('a', 'b', 'c');
    stream.mailbox.take(2);
    expect(stream.counts).toEqual([[0, 0]]);
    expect(stream.reads).toBe(1);
    stream.mailbox.take();
    expect(stream.counts).toEqual([
      [0, 0],
      [3, 3],
    ]);
    expect(stream.reads).toBe(2);
  });

  it('is sent once when the mailbox accepts each message before send returns', () => {
    const stream = FakeMulticastStream.open();
    stream.mailbox.takesAtOnce = true;
    stream.batch('a', 'b', 'c');
    expect(stream.counts).toEqual([
      [0, 0],
      [3, 3],
    ]);
    expect(stream.reads).toBe(2);
  });

  it('is sent immediately for an empty batch', () => {
    const stream = FakeMulticastStream.open();
    stream.batch();
    expect(stream.counts).toHaveLength(2);
    expect(stream.reads).toBe(2);
  });

  it('counts all messages of the stream, and rejects by their index in the stream', () => {
    const stream = FakeMulticastStream.open();
    stream.batch('1', badMessage(), '3');
    stream.mailbox.take();
    stream.batch(badMessage(), '5', badMessage());
    stream.mailbox.take();
    expect(stream.mailbox.texts).toEqual(['1', '3', '5']);
    expect(stream.counts).toEqual([
      [0, 0],
      [3, 2],
      [6, 3],
    ]);
    expect(stream.answers.map(({ refusals }) => refusals.map(({ index }) => Number(index)))).toEqual([
      [],
      [2],
      [4, 6],
    ]);
    expect(stream.errors).toEqual([]);
  });

  it('contains the reason of each rejection', () => {
    const stream = FakeMulticastStream.open();
    stream.batch(badMessage());
    const refusal = stream.lastAnswer?.refusals[0];
    expect(refusal).toMatchObject({
      index: 1n,
      statusCode: status.INVALID_ARGUMENT,
      reason: 'ILLEGAL_SERVICE',
      domain: 'spread.org',
    });
    expect(refusal?.metadata.get('field')).toBe('service_type');
  });

  it('does not wait for a message that the mailbox rejects', () => {
    const stream = FakeMulticastStream.open();
    stream.mailbox.beforeSend = ({ payload }) => {
      if (payload.toString() === 'x') throw new SpreadError('ILLEGAL_GROUP', 'a group is wrong');
    };
    stream.batch('x', 'x');
    expect(stream.counts.at(-1)).toEqual([2, 0]);
    expect(stream.refused).toEqual([1, 2]);
  });

  it('reports at most 500 rejections, and the batch continues afterwards', () => {
    const stream = FakeMulticastStream.open();
    stream.batch(...times(1201, badMessage));
    expect(stream.answers.map(({ refusals }) => refusals.length)).toEqual([0, 500, 500, 201]);
    expect(stream.refused).toEqual(times(1201, (index) => index + 1));
    expect(stream.counts.at(-1)).toEqual([1201, 0]);
    // The first response is the one to `open`. No frame is allowed between the parts of a batch.
    expect(stream.reads).toBe(2);
  });

  it('waits for the transport before the next frame', () => {
    const stream = FakeMulticastStream.open();
    stream.isWritable = false;
    stream.batch(badMessage());
    expect(stream.reads).toBe(1);
    stream.drain();
    expect(stream.reads).toBe(2);
    stream.drain();
    expect(stream.reads).toBe(2);
  });

  it('waits for the transport before the rest of a batch with many rejections', () => {
    const stream = FakeMulticastStream.open();
    stream.isWritable = false;
    stream.batch(...times(500, badMessage), 'a');
    expect(stream.mailbox.sent).toEqual([]);
    stream.drain();
    expect(stream.mailbox.texts).toEqual(['a']);
  });
});

describe('a long batch', () => {
  it('is passed on in slices of 512 messages, each in a separate turn', () => {
    const stream = FakeMulticastStream.open();
    stream.defersTurns = true;
    stream.batch(...texts(1300));
    expect(stream.mailbox.sent).toHaveLength(512);
    stream.mailbox.take();
    // The batch is not complete, so there is no response.
    expect(stream.answers).toHaveLength(1);
    stream.runTurn();
    expect(stream.mailbox.sent).toHaveLength(1024);
    stream.runTurn();
    expect(stream.mailbox.texts).toEqual(texts(1300));
    expect(stream.turns).toEqual([]);
    stream.mailbox.take();
    expect(stream.counts.at(-1)).toEqual([1300, 1300]);
  });

  it('of exactly one slice needs no second turn', () => {
    const stream = FakeMulticastStream.open();
    stream.defersTurns = true;
    stream.batch(...texts(512));
    expect(stream.turns).toEqual([]);
    stream.mailbox.take();
    expect(stream.counts.at(-1)).toEqual([512, 512]);
  });

  it('counts its messages against the connection', () => {
    const stream = FakeMulticastStream.open();
    stream.batch(...texts(1056));
    expect(stream.spentTurns).toEqual([16, 16, 1]);
  });
});

describe('a mailbox without room', () => {
  it('stops the batch until there is room, and no message is sent twice', () => {
    const stream = FakeMulticastStream.open();
    stream.mailbox.hasRoom = false;
    stream.batch('a', 'b', 'c');
    expect(stream.mailbox.texts).toEqual(['a']);
    stream.mailbox.take();
    // All sent messages are decided, but the batch is not complete.
    expect(stream.answers).toHaveLength(1);
    stream.mailbox.makeRoom();
    expect(stream.mailbox.texts).toEqual(['a', 'b', 'c']);
    stream.mailbox.take();
    expect(stream.counts.at(-1)).toEqual([3, 3]);
  });

  it('after the last message of a batch delays its response until there is room', () => {
    const stream = FakeMulticastStream.open();
    stream.mailbox.hasRoom = false;
    stream.batch('a');
    stream.mailbox.take();
    expect(stream.answers).toHaveLength(1);
    stream.mailbox.makeRoom();
    expect(stream.counts.at(-1)).toEqual([1, 1]);
  });

  it('that throws SEND_QUEUE_FULL gets the same message again in a later turn', async () => {
    const stream = FakeMulticastStream.open();
    let isFull = true;
    stream.mailbox.beforeSend = ({ payload }) => {
      if (isFull && payload.toString() === 'b') throw new MailboxError('SEND_QUEUE_FULL', 'no room');
    };
    stream.batch('a', 'b');
    expect(stream.mailbox.texts).toEqual(['a']);
    stream.mailbox.take();
    expect(stream.answers).toHaveLength(1);
    // There is still not enough room: it waits again, and rejects nothing.
    stream.mailbox.makeRoom();
    expect(stream.mailbox.roomListeners).toBe(0);
    await new Promise(setImmediate);
    expect(stream.mailbox.roomListeners).toBe(1);
    isFull = false;
    stream.mailbox.makeRoom();
    expect(stream.mailbox.texts).toEqual(['a']);
    await new Promise(setImmediate);
    expect(stream.mailbox.texts).toEqual(['a', 'b']);
    stream.mailbox.take();
    expect(stream.counts.at(-1)).toEqual([2, 2]);
    expect(stream.refused).toEqual([]);
  });
});

describe('a client that is faster than its rate', () => {
  it('sends its next frame when the rate allows it', () => {
    vi.useFakeTimers();
    const stream = FakeMulticastStream.open();
    stream.mailbox.takesAtOnce = true;
    stream.waitMs = 250;
    stream.batch(message('a'), badMessage());
    // The batch itself is sent and answered; rejected messages count too.
    expect(stream.counts.at(-1)).toEqual([2, 1]);
    expect(stream.spentMessages).toEqual([2]);
    vi.advanceTimersByTime(249);
    expect(stream.reads).toBe(1);
    // Another stream of the client used up the rate meanwhile.
    stream.waitMs = 100;
    vi.advanceTimersByTime(1);
    expect(stream.reads).toBe(1);
    stream.waitMs = 0;
    vi.advanceTimersByTime(100);
    expect(stream.reads).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('starts no timer when it cancels while the transport is full', () => {
    vi.useFakeTimers();
    const stream = FakeMulticastStream.open();
    stream.isWritable = false;
    stream.waitMs = 250;
    stream.batch();
    stream.session.cancel();
    stream.drain();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[what: string, act: (stream: FakeMulticastStream) => void]>([
    ['a cancel', (s) => s.session.cancel()],
    ['the end of the mailbox', (s) => s.mailbox.end(expired())],
  ])('leaves no timer behind after %s', (_what, act) => {
    vi.useFakeTimers();
    const stream = FakeMulticastStream.open();
    stream.waitMs = 250;
    stream.batch();
    expect(vi.getTimerCount()).toBe(1);
    act(stream);
    expect(vi.getTimerCount()).toBe(0);
    expect(stream.reads).toBe(1);
  });
});
