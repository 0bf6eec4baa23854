import type {
  Acknowledgement,
  MailboxEnd,
  QueueLimits,
} from '../../../../server/src/mailbox/mailbox-types.js';
import { ByteBudget } from '../../../../server/src/mailbox/queue/byte-budget.js';
import { Inbox } from '../../../../server/src/mailbox/queue/inbox.js';
import type { AttachOptions } from '../../../../server/src/mailbox/queue/receiver.js';
import { plainEncode, regular } from '../../../support/mailboxes/plain-events.js';
import { RecordingReceiver } from '../../../support/mailboxes/recording-receiver.js';

const ABOUT = { privateGroup: '#me#test', groups: ['room'] };
export const DISCONNECTED: MailboxEnd = { reason: 'DISCONNECTED', lastSequence: 0, message: 'over' };

/** An inbox without a mailbox, with its calls to the mailbox. */
export class Bench {
  readonly calls: string[] = [];
  attached = 0;
  readonly inbox: Inbox;

  constructor(
    limits: Partial<QueueLimits> = {},
    acknowledgement: Acknowledgement = 'AUTO',
    readonly budget = new ByteBudget(1_000_000_000),
  ) {
    this.inbox = new Inbox(
      {
        acknowledgement,
        limits: {
          maxEvents: 1_000_000,
          maxBytes: 1_000_000,
          replayBytes: 1_000_000,
          overflow: 'PAUSE',
          ...limits,
        },
        noticeMark: 0.8,
        encode: plainEncode,
        budget,
      },
      {
        pause: () => this.calls.push('pause'),
        resume: () => this.calls.push('resume'),
        slowConsumer: () => this.calls.push('slow'),
      },
    );
    this.inbox.listen({
      overflow: (bound) => this.calls.push(`overflow ${bound}`),
      softLimitOver: (bound, timeMs) => this.calls.push(`over ${bound} for ${timeMs}`),
      takenAfterEnd: () => this.calls.push('taken after the end'),
      released: () => this.calls.push('released'),
      receiverAttached: () => {
        this.attached++;
        let gone = false;
        return () => {
          if (!gone) this.attached--;
          gone = true;
        };
      },
    });
  }

  push(...payloads: string[]): void {
    for (const payload of payloads) this.inbox.enqueue(1_000, regular(payload), '#me#test');
  }

  pushMany(count: number): void {
    for (let i = 0; i < count; i++) this.push('x');
  }

  attach(options: AttachOptions = {}, receiver = new RecordingReceiver()): RecordingReceiver {
    receiver.attachment = this.inbox.attach(options, receiver, ABOUT);
    return receiver;
  }
}

/** Waits for everything that is scheduled for the end of the turn. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));
