import { afterEach, beforeEach, expect, vi } from 'vitest';
import { Mailbox } from '../../../server/src/mailbox/mailbox.js';
import type { MailboxOptions } from '../../../server/src/mailbox/mailbox-parts.js';
import type { MailboxLimits, OutgoingMessage } from '../../../server/src/mailbox/mailbox-types.js';
import { ByteBudget } from '../../../server/src/mailbox/queue/byte-budget.js';
import type { AttachOptions } from '../../../server/src/mailbox/queue/receiver.js';
import { SILENT } from '../../../server/src/mailbox/telemetry.js';
import { FakeSession } from '../../support/mailboxes/fake-session.js';
import { plainEncode } from '../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../support/mailboxes/recording-receiver.js';

export const ME = '#me#test';
export const turn = () => new Promise((resolve) => setImmediate(resolve));

export const LIMITS: MailboxLimits = {
  leaseMs: 30_000,
  queue: { maxEvents: 1000, maxBytes: 1_000_000, replayBytes: 100_000, overflow: 'PAUSE' },
  maxGroupsPerMessage: 43,
  maxMessageBytes: 143_151,
  maxGroups: 3,
  maxSendQueueBytes: 1_000_000,
};

export function message(payload: string, changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    serviceType: 'AGREED',
    selfDiscard: false,
    groups: ['room'],
    messageType: 0,
    payload: Buffer.from(payload),
    ...changes,
  };
}

export const rejectsWith = (promise: Promise<unknown>, error: object) =>
  expect(promise).rejects.toEqual(expect.objectContaining(error));

export let session: FakeSession;

/** The next mailbox uses a new session. */
export function newSession(): FakeSession {
  session = new FakeSession(ME);
  return session;
}

const open: Mailbox[] = [];
export const leaseEnds: Mailbox[] = [];
export const ended: string[] = [];

export function mailboxOf(changes: Partial<MailboxOptions> = {}): Mailbox {
  const mailbox: Mailbox = new Mailbox({
    session,
    id: '0123456789abcdef0123456789abcdef',
    displayId: 'm1',
    daemon: '4803@node1',
    membership: true,
    acknowledgement: 'AUTO',
    limits: LIMITS,
    noticeMark: 0.8,
    disconnectTimeoutMs: 50,
    encode: plainEncode,
    budget: new ByteBudget(1_000_000_000),
    telemetry: { ...SILENT, ended: (_mailbox, reason) => ended.push(reason) },
    onLeaseEnd: () => leaseEnds.push(mailbox),
    ...changes,
  });
  open.push(mailbox);
  return mailbox;
}

/** The kernel accepts everything, and the turn of the event loop ends. */
export const drained = async () => {
  session.drain();
  await turn();
};

export function attach(mailbox: Mailbox, options: AttachOptions = {}, willing = true): RecordingReceiver {
  const receiver = new RecordingReceiver(willing);
  receiver.attachment = mailbox.attach(options, receiver);
  return receiver;
}

/** Resets the shared state before and after each test of the calling suite. */
export function resetForEachTest(): void {
  beforeEach(() => {
    newSession();
    leaseEnds.length = 0;
    ended.length = 0;
  });
  afterEach(async () => {
    vi.useRealTimers();
    session.silent = false;
    for (const mailbox of open.splice(0)) {
      await mailbox.disconnect({ abort: true });
      mailbox.cutReceiver();
      await mailbox.discard();
    }
  });
}
