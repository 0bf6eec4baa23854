import { describe, expect, it, onTestFinished } from 'vitest';
import type { Mailbox } from '../../server/src/mailbox/mailbox.js';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { acceptScript, scriptedDaemon } from '../support/daemons/scripted-daemon.js';
import { attachReceiver, MailboxBench, outgoing } from '../support/mailboxes/mailbox-bench.js';
import { RecordingReceiver } from '../support/mailboxes/recording-receiver.js';
import { until, within } from '../support/until.js';

/** Sends numbered messages like a stream: as fast as the mailbox allows. Resolves when all are accepted. */
function flood(mailbox: Mailbox, group: string, count: number, prefix = '', size = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    const release = mailbox.hold();
    let next = 0;
    const onTaken = (error?: Error) => {
      release();
      if (error) reject(error);
      else resolve();
    };
    const work = (): void => {
      try {
        while (next < count) {
          const payload = `${prefix}${next++}`.padEnd(size, ' ');
          const room = mailbox.send(outgoing(group, payload), next === count ? onTaken : undefined);
          if (!room && next < count) {
            mailbox.onSendRoom(work);
            return;
          }
        }
      } catch (error) {
        reject(error);
      }
    };
    work();
  });
}

const numbers = (receiver: RecordingReceiver) =>
  receiver.events.filter((event) => event.kind === 'regular').map((event) => Number(event.what));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

async function pair(settings = {}, daemonOptions = {}, asked = {}) {
  const daemon = await startEmbeddedDaemon({ maxSessionMessages: 1_000_000, ...daemonOptions });
  const bench = new MailboxBench(`${daemon.tcp.port}@127.0.0.1`, settings);
  const sender = await bench.connect('sender');
  const mailbox = await bench.connect('receiver', asked);
  await mailbox.join('room', { awaitView: true });
  return { bench, sender, mailbox };
}

describe('a mailbox with much to receive', () => {
  it('delivers everything in order, in batches', async () => {
    const { sender, mailbox } = await pair();
    const receiver = attachReceiver(mailbox);
    await flood(sender, 'room', 20_000);
    await until(() => mailbox.lastSequence === 20_001);
    await until(() => receiver.events.length === 20_001);
    expect(receiver.sequences).toEqual(upTo(20_001).map((i) => i + 1));
    expect(numbers(receiver)).toEqual(upTo(20_000));
    expect(receiver.batches.length).toBeLessThan(2_000);
  });

  it('pauses for a stalled receiver and loses nothing when it continues', async () => {
    const { sender, mailbox } = await pair({}, {}, { queue: { maxEvents: 100 } });
    const receiver = new RecordingReceiver(false, 4_096);
    attachReceiver(mailbox, {}, receiver);
    const count = 20_000;
    await flood(sender, 'room', count, '', 200);
    await until(() => mailbox.paused);
    expect(mailbox.snapshot().waitingEvents).toBeLessThan(1_000);
    expect(receiver.notices.length).toBeGreaterThanOrEqual(1);
    receiver.willing = true;
    receiver.takeAll();
    await until(() => receiver.events.length === count + 1, { timeoutMs: 15_000 });
    expect(numbers(receiver)).toEqual(upTo(count));
  });

  it('is disconnected by the daemon when it pauses for too long, and delivers its events without a gap', async () => {
    const { sender, mailbox } = await pair({}, { maxSessionMessages: 1_000 }, { queue: { maxEvents: 100 } });
    const receiver = new RecordingReceiver(false);
    attachReceiver(mailbox, {}, receiver);
    await sender.join('room', { awaitView: true });
    let seen = 0;
    while (sender.view('room').view.members.length === 2) {
      await flood(sender, 'room', 500, '', 1_000);
      seen += 500;
      expect(seen).toBeLessThan(100_000);
    }
    receiver.willing = true;
    receiver.takeAll();
    await until(() => receiver.end);
    expect(receiver.end).toMatchObject({ reason: 'CONNECTION_CLOSED', lastSequence: receiver.events.length });
    expect(receiver.sequences).toEqual(upTo(receiver.events.length).map((i) => i + 1));
  });

  it('with DISCONNECT ends at the limit, and the others see it leave', async () => {
    const { sender, mailbox } = await pair({}, {}, { queue: { maxEvents: 100, overflow: 'DISCONNECT' } });
    await sender.join('room', { awaitView: true });
    await flood(sender, 'room', 1_000);
    await until(() => mailbox.state === 'ENDED');
    await until(() => sender.view('room').view.members.length === 1);
    const receiver = attachReceiver(mailbox);
    await until(() => receiver.end);
    expect(receiver.end).toMatchObject({ reason: 'QUEUE_OVERFLOW', lastSequence: 100 });
    expect(receiver.sequences).toEqual(upTo(100).map((i) => i + 1));
  });

  it('does not slow down its neighbours', async () => {
    const { bench, sender, mailbox } = await pair(
      { totalQueueBytes: 2_000_000 },
      {},
      { queue: { maxBytes: 60_000_000 } },
    );
    const stalled = new RecordingReceiver(false);
    attachReceiver(mailbox, {}, stalled);
    const neighbour = await bench.connect('neighbour', { queue: { replayBytes: 1_000 } });
    await neighbour.join('room', { awaitView: true });
    const receiver = attachReceiver(neighbour);
    const count = 10_000;
    await flood(sender, 'room', count, '', 300);
    await until(() => receiver.events.length === count + 1, { timeoutMs: 15_000 });
    await until(() => mailbox.paused);
    expect(neighbour.paused).toBe(false);
    expect(bench.registry.sizes().retainedBytes).toBeLessThan(2_000_000);
  });

  it('with AUTO neither loses nor repeats events over many receivers', async () => {
    const { sender, mailbox } = await pair();
    const got: number[] = [];
    const sending = flood(sender, 'room', 5_000);
    let last = 0;
    while (got.length < 5_000) {
      const receiver = new RecordingReceiver(true, 700);
      attachReceiver(mailbox, { afterSequence: last }, receiver);
      const enough = 1 + ((got.length * 7) % 400);
      await until(() => receiver.events.length >= Math.min(enough, 5_001 - last));
      receiver.attachment!.detach();
      // The view of a client whose stream broke: not everything that the transport got has arrived.
      const arrived = receiver.events.slice(0, Math.ceil(receiver.events.length * 0.7));
      got.push(...arrived.filter(({ kind }) => kind === 'regular').map(({ what }) => Number(what)));
      last = arrived.at(-1)!.sequence;
    }
    await sending;
    expect(got).toEqual(upTo(5_000));
  });

  it('with EXPLICIT redelivers events that were not acknowledged, and keeps to the limit', async () => {
    const { sender, mailbox } = await pair({}, {}, { acknowledgement: 'EXPLICIT' });
    const sending = flood(sender, 'room', 500);
    const done: number[] = [];
    while (mailbox.snapshot().acknowledgedSequence < 501) {
      const receiver = new RecordingReceiver(true, 64 * 1024);
      attachReceiver(mailbox, { maxOutstandingEvents: 10 }, receiver);
      await until(
        () => receiver.events.length === Math.min(10, 501 - mailbox.snapshot().acknowledgedSequence),
      );
      // The client crashes after seven of ten events.
      const handled = receiver.events.slice(0, 7);
      done.push(...handled.map((event) => event.sequence));
      mailbox.acknowledge(handled.at(-1)!.sequence);
      receiver.attachment!.detach();
    }
    await sending;
    expect(done).toEqual(upTo(501).map((i) => i + 1));
    expect(mailbox.snapshot().retainedBytes).toBe(0);
  });
});

describe('a mailbox with much to send', () => {
  it('keeps the order of concurrent unary calls and streams', async () => {
    const { sender, mailbox } = await pair();
    const receiver = attachReceiver(mailbox);
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 3_000; i++) {
      const message = outgoing('room', `${i}`.padEnd(500));
      if (i % 3 === 0) calls.push(sender.multicast(message));
      else sender.send(message);
    }
    await Promise.all(calls);
    await until(() => receiver.events.length === 3_001);
    expect(numbers(receiver)).toEqual(upTo(3_000));
  });

  it('delivers messages that were accepted before a Disconnect', async () => {
    const { bench, sender, mailbox } = await pair();
    const receiver = attachReceiver(mailbox);
    const calls = upTo(200).map((i) => sender.multicast(outgoing('room', `${i}`.padEnd(10_000))));
    await bench.registry.disconnect(sender.id);
    await Promise.all(calls);
    await until(() => receiver.events.length === 201);
    expect(numbers(receiver)).toEqual(upTo(200));
  });

  /** A daemon that accepts the session and then reads nothing more. */
  async function deafDaemon(settings = {}) {
    const daemon = await scriptedDaemon([acceptScript('me')]);
    const bench = new MailboxBench(daemon.spreadName, { disconnectTimeoutMs: 200, ...settings });
    const mailbox = await bench.connect('me');
    await daemon.finished;
    daemon.sockets[0]!.pause();
    onTestFinished(() => bench.registry.drain({ graceMs: 0 }));
    return { bench, mailbox, daemon };
  }
  const large = Buffer.alloc(100_000, 'x');

  it('limits the send queue for a daemon that does not read', async () => {
    const { mailbox } = await deafDaemon({ maxSendQueueBytes: 2_000_000 });
    const calls: Promise<unknown>[] = [];
    let refused: unknown;
    for (let i = 0; i < 1_000 && refused === undefined; i++) {
      const call = mailbox.multicast(outgoing('room', large)).catch((error: unknown) => {
        refused ??= error;
      });
      calls.push(call);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(refused).toMatchObject({ reason: 'SEND_QUEUE_FULL', metadata: { outcome: 'not-sent' } });
    expect(mailbox.snapshot().sendQueueBytes).toBeLessThanOrEqual(2_000_000);
    await mailbox.disconnect({ abort: true });
    await Promise.all(calls);
  });

  it('applies backpressure to a stream, and limits how long a call waits', async () => {
    const { mailbox } = await deafDaemon();
    while (mailbox.send(outgoing('room', large))) await new Promise((resolve) => setImmediate(resolve));
    const waiting = mailbox.multicast(outgoing('room', 'late'), { signal: AbortSignal.timeout(20) });
    await expect(waiting).rejects.toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
      metadata: { outcome: 'not-sent' },
    });
  });

  it('never reports a message as sent before its bytes were accepted', async () => {
    const { mailbox, daemon } = await deafDaemon();
    while (mailbox.send(outgoing('room', large))) await new Promise((resolve) => setImmediate(resolve));
    const before = mailbox.messagesSent;
    const waiting = mailbox.multicast(outgoing('room', 'late'));
    expect(mailbox.messagesSent).toBe(before);
    daemon.sockets[0]!.resetAndDestroy();
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_CLOSED', outcome: 'not-sent' });
  });

  it.each(['abort', 'daemon'] as const)(
    "reports an active write at the socket's end as unknown: %s",
    async (who) => {
      const { mailbox, daemon } = await deafDaemon({ maxSendQueueBytes: 100_000_000 });
      // More than the kernel accepts at a time: some messages are partly written and never complete.
      const calls = upTo(200).map(() => mailbox.multicast(outgoing('room', large)));
      const outcomes = Promise.allSettled(calls);
      let quiet = 0;
      for (let before = -1; quiet < 50; quiet = before === mailbox.messagesSent ? quiet + 1 : 0) {
        before = mailbox.messagesSent;
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (who === 'abort') await mailbox.disconnect({ abort: true });
      else daemon.sockets[0]!.resetAndDestroy();
      const settled = await within(outcomes, 'every call is answered');
      const sent = settled.filter(({ status }) => status === 'fulfilled').length;
      const failed = settled.slice(sent);
      expect(failed.length).toBeGreaterThan(0);
      // Accepted messages come first, then those with an unknown outcome, then those not sent. No later message counts
      // as sent.
      const words = failed.map((result) => {
        const { outcome, metadata } = (result as PromiseRejectedResult).reason;
        return outcome ?? metadata.outcome;
      });
      expect(words.join(' ')).toMatch(/^(unknown ?)+(not-sent ?)*$/);
      // A 100,000-byte message of which the kernel accepted only a part is not "sent".
      expect(sent * large.length).toBeLessThanOrEqual(daemon.sockets[0]!.bytesRead + 10_000_000);
    },
  );

  it('aborts a connection that does not accept the disconnect message', async () => {
    const { bench, mailbox } = await deafDaemon();
    while (mailbox.send(outgoing('room', large))) await new Promise((resolve) => setImmediate(resolve));
    const began = performance.now();
    expect(await within(bench.registry.disconnect(mailbox.id), 'the goodbye', 2_000)).toBe(true);
    expect(performance.now() - began).toBeGreaterThanOrEqual(190);
  });
});
