import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventEncoder } from '../../../../server/src/grpc/codec/event-encoder.js';
import type { ConnectOptions } from '../../../../server/src/mailbox/connection/connect-options.js';
import type { Mailbox } from '../../../../server/src/mailbox/mailbox.js';
import type { Acknowledgement, OverflowPolicy } from '../../../../server/src/mailbox/mailbox-types.js';
import type { Attachment, Receiver } from '../../../../server/src/mailbox/queue/receiver.js';
import { MailboxRegistry } from '../../../../server/src/mailbox/registry/registry.js';
import { buffers } from '../../../../server/src/memory/buffer-pool.js';
import { FakeDaemons } from '../../../support/mailboxes/fake-daemons.js';
import { mailboxSettings } from '../../../support/mailboxes/mailbox-settings.js';
import { regular } from '../../../support/mailboxes/plain-events.js';

const MIB = 1024 * 1024;
const MAILBOXES = 20;
/** Each mailbox alone could hold as much. */
const TOTAL_BYTES = 32 * MIB;
/** The part of a chunk that may be unused at its end. */
const WASTE = 8 / 7;
/** The oldest chunk, which may be partly discarded, and the open one, which may be partly unwritten. */
const CHUNKS_BYTES = 2 * 128 * 1024;
/** Memory of the tests: messages in flight, and remaining garbage. */
const SLACK_BYTES = 2 * MIB;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in buffers after a garbage collection. */
async function bufferBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().arrayBuffers;
}

/** Takes everything and retains nothing, or takes nothing. */
class Reader implements Receiver {
  attachment: Attachment | undefined;

  constructor(readonly reads: boolean) {}

  onReadable(): void {
    if (this.reads) while (this.attachment?.take(256 * 1024));
  }

  onSlowConsumer(): void {}

  abandon(): void {}

  onEnd(): void {}
}

async function mailboxesWith(asked: Partial<ConnectOptions>, reads: boolean) {
  const daemons = new FakeDaemons();
  const registry = new MailboxRegistry({
    settings: mailboxSettings({ totalQueueBytes: TOTAL_BYTES }),
    encode: eventEncoder('on'),
    connectSession: daemons.connect,
  });
  onTestFinished(() => registry.drain({ graceMs: 0 }));
  const mailboxes: Mailbox[] = [];
  for (let i = 0; i < MAILBOXES; i++) {
    const mailbox = await registry.connect({
      ...{ daemon: '', privateName: '', onNameConflict: 'FAIL', priority: 0, membership: true },
      ...{ queue: {}, acknowledgement: 'AUTO', ...asked },
    });
    const reader = new Reader(reads);
    reader.attachment = mailbox.attach({}, reader);
    mailboxes.push(mailbox);
  }
  /** The daemons send to all mailboxes in turn, or only to those that read, up to `upTo` bytes in total. */
  const send = async (bytes: number, upTo: number) => {
    const message = regular('x'.repeat(bytes));
    let sent = 0;
    for (let turns = 0; sent < upTo; turns++) {
      const before = sent;
      for (const session of daemons.sessions) {
        if (session.paused || session.closed) continue;
        session.deliver(message);
        sent += bytes;
      }
      if (sent === before) return;
      if (turns % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { registry, mailboxes, send };
}

const CASES: [what: string, OverflowPolicy, Acknowledgement, reads: boolean][] = [
  ['PAUSE, nothing is read', 'PAUSE', 'AUTO', false],
  ['DISCONNECT, nothing is read', 'DISCONNECT', 'AUTO', false],
  ['EXPLICIT, all is read and nothing acknowledged', 'PAUSE', 'EXPLICIT', true],
  ['EXPLICIT and DISCONNECT, nothing acknowledged', 'DISCONNECT', 'EXPLICIT', true],
  ['AUTO, all is read: replay windows', 'PAUSE', 'AUTO', true],
];

describe('The memory of all queues together', () => {
  for (const bytes of [100, 5000, 14_000, 40_000, 140_000]) {
    it.each(CASES)(
      `is limited with messages of ${bytes} bytes: %s`,
      async (_, overflow, acknowledgement, reads) => {
        const { registry, send } = await mailboxesWith({ queue: { overflow }, acknowledgement }, reads);
        const before = await bufferBytes();
        await send(bytes, 3 * TOTAL_BYTES);
        const { retainedBytes } = registry.sizes();
        // A mailbox always accepts one event.
        expect(retainedBytes).toBeLessThanOrEqual(TOTAL_BYTES + MAILBOXES * (bytes + 100));
        // The limit is really used.
        expect(retainedBytes).toBeGreaterThan(0.8 * TOTAL_BYTES);
        const grown = (await bufferBytes()) - before;
        expect(grown).toBeLessThan(retainedBytes * WASTE + MAILBOXES * CHUNKS_BYTES + SLACK_BYTES);
      },
    );
  }

  it('is released with the mailboxes', async () => {
    const { registry, mailboxes, send } = await mailboxesWith({}, false);
    const before = await bufferBytes();
    await send(5000, 3 * TOTAL_BYTES);
    expect((await bufferBytes()) - before).toBeGreaterThan(TOTAL_BYTES / 2);
    for (const { id } of mailboxes) await registry.disconnect(id, { abort: true });
    for (const mailbox of mailboxes) mailbox.cutReceiver();
    await new Promise((resolve) => setImmediate(resolve));
    expect(registry.sizes().retainedBytes).toBe(0);
    // The memory for reuse has its own limit.
    expect((await bufferBytes()) - before - buffers.freeBytes).toBeLessThan(SLACK_BYTES);
    expect(buffers.freeBytes).toBeLessThanOrEqual(4 * MIB);
  });

  it('includes the bytes in the transports of receivers, until they are released', async () => {
    const { registry, mailboxes } = await mailboxesWith({}, false);
    const reader = new Reader(false);
    const attachment = mailboxes[0]!.attach({}, reader);
    attachment.inTransit(1000);
    attachment.inTransit(500);
    expect(registry.sizes().retainedBytes).toBe(1500);
    attachment.detach();
    attachment.inTransit(-1000);
    expect(registry.sizes().retainedBytes).toBe(500);
    await registry.disconnect(mailboxes[0]!.id);
    attachment.inTransit(-500);
    expect(registry.sizes().retainedBytes).toBe(0);
  });
});
