import { afterEach, describe, expect, it, vi } from 'vitest';
import { MailboxError } from '../../../../server/src/mailbox/sidecar-error.js';
import { badMessage, FakeMulticastStream, openFrame, times } from './fake-multicast-stream.js';

const expired = () => new MailboxError('LEASE_EXPIRED', 'the lease of the mailbox expired');
afterEach(() => void vi.useRealTimers());

const texts = (count: number) => times(count, String);

describe('the end of the mailbox', () => {
  it('ends an idle stream immediately, with the current counts', () => {
    const stream = FakeMulticastStream.open();
    stream.batch('a');
    stream.mailbox.take();
    stream.mailbox.end(expired());
    expect(stream.reasons).toEqual(['LEASE_EXPIRED']);
    expect(stream.counts.at(-1)).toEqual([1, 1]);
    expect(stream.mailbox.holds).toBe(0);
  });

  it('in the middle of a batch stops passing messages, and waits for those in flight', () => {
    const stream = FakeMulticastStream.open();
    stream.mailbox.hasRoom = false;
    stream.batch('a', 'b', 'c');
    stream.mailbox.end(expired());
    expect(stream.errors).toEqual([]);
    stream.mailbox.makeRoom();
    expect(stream.mailbox.texts).toEqual(['a']);
    stream.mailbox.take();
    expect(stream.reasons).toEqual(['LEASE_EXPIRED']);
    expect(stream.counts.at(-1)).toEqual([1, 1]);
    expect(stream.reads).toBe(1);
  });

  it('between two slices stops passing messages', () => {
    const stream = FakeMulticastStream.open();
    stream.defersTurns = true;
    stream.batch(...texts(600));
    stream.mailbox.end(expired());
    stream.runTurn();
    expect(stream.mailbox.sent).toHaveLength(512);
    stream.mailbox.take(511);
    expect(stream.errors).toEqual([]);
    stream.mailbox.take();
    expect(stream.reasons).toEqual(['LEASE_EXPIRED']);
  });

  it('is reported with rejected messages only up to the first undecided one', () => {
    const stream = FakeMulticastStream.open();
    stream.batch('1', badMessage(), '3', badMessage());
    stream.mailbox.take(1);
    stream.mailbox.failNext(expired());
    expect(stream.counts.at(-1)).toEqual([2, 1]);
    expect(stream.refused).toEqual([2]);
    expect(stream.reasons).toEqual(['LEASE_EXPIRED']);
    // The other callbacks of the mailbox's end are called too.
    stream.mailbox.end(expired());
    stream.mailbox.take();
    expect(stream.errors).toHaveLength(1);
    expect(stream.answers).toHaveLength(2);
  });

  it('when send throws, ends the stream after the earlier messages are decided', () => {
    const stream = FakeMulticastStream.open();
    stream.mailbox.beforeSend = ({ payload }) => {
      if (payload.toString() === 'b') throw expired();
    };
    stream.batch('a', 'b', 'c');
    expect(stream.mailbox.texts).toEqual(['a']);
    expect(stream.errors).toEqual([]);
    stream.mailbox.take();
    expect(stream.reasons).toEqual(['LEASE_EXPIRED']);
    expect(stream.counts.at(-1)).toEqual([1, 1]);
    expect(stream.refused).toEqual([]);
  });

  it('keeps the first reason when there is a second', () => {
    const stream = FakeMulticastStream.open();
    stream.batch('a');
    stream.mailbox.end(expired());
    stream.mailbox.end(new MailboxError('DRAINING', 'the sidecar is shutting down'));
    stream.mailbox.take();
    expect(stream.reasons).toEqual(['LEASE_EXPIRED']);
  });
});

describe('a half-close', () => {
  it('ends the call without an error and releases the mailbox', () => {
    const stream = FakeMulticastStream.open();
    stream.session.onHalfClose();
    expect(stream.isEnded).toBe(true);
    expect(stream.errors).toEqual([]);
    expect(stream.mailbox.holds).toBe(0);
    expect(stream.mailbox.endListeners).toBe(0);
  });

  it('before open is an error', () => {
    const stream = new FakeMulticastStream();
    stream.session.onHalfClose();
    expect(stream.reasons).toEqual(['FIELD_REQUIRED']);
    expect(stream.isEnded).toBe(false);
  });
});

describe('a cancel', () => {
  it.each<
    [when: string, prepare: (stream: FakeMulticastStream) => void, after: (s: FakeMulticastStream) => void]
  >([
    ['while messages are undecided', (s) => s.batch('a', badMessage()), (s) => s.mailbox.take()],
    [
      'while the mailbox has no room',
      (s) => {
        s.mailbox.hasRoom = false;
        s.batch('a', 'b');
      },
      (s) => s.mailbox.makeRoom(),
    ],
    [
      'between two slices',
      (s) => {
        s.defersTurns = true;
        s.batch(...texts(600));
      },
      (s) => s.runTurn(),
    ],
    [
      'before the turn of the next read',
      (s) => {
        s.defersTurns = true;
        s.batch();
      },
      (s) => s.runTurn(),
    ],
    [
      'while the transport is full',
      (s) => {
        s.isWritable = false;
        s.batch();
      },
      (s) => s.drain(),
    ],
    ['when nothing is under way', () => {}, (s) => s.batch('late')],
    ['and a late failure of a message', (s) => s.batch('a'), (s) => s.mailbox.failNext(expired())],
    ['and the end of the mailbox', (s) => s.batch('a'), (s) => s.mailbox.end(expired())],
  ])('%s stops everything and releases the mailbox', (_when, prepare, after) => {
    const stream = FakeMulticastStream.open();
    prepare(stream);
    const { length: sent } = stream.mailbox.sent;
    const { length: answers } = stream.answers;
    const { reads } = stream;
    stream.session.cancel();
    expect(stream.mailbox.holds).toBe(0);
    after(stream);
    expect(stream.mailbox.sent).toHaveLength(sent);
    expect(stream.answers).toHaveLength(answers);
    expect(stream.reads).toBe(reads);
    expect(stream.errors).toEqual([]);
    expect(stream.isEnded).toBe(false);
  });

  it('before open leaves nothing to release', () => {
    const stream = new FakeMulticastStream();
    stream.session.cancel();
    stream.frame(openFrame('box'));
    expect(stream.opened).toEqual([]);
  });
});
