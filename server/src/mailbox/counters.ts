import type { ServiceTypeName } from '../spread/wire/index.js';
import type { MailboxEvent } from './event.js';
import type { MailboxSnapshot } from './mailbox-types.js';

export type EventKind = MailboxEvent['kind'];

/** How many events of each kind. */
export class EventCounts {
  regular = 0;
  view = 0;
  transitional = 0;
  selfLeave = 0;
  rejected = 0;
  connectionLost = 0;
  connectionRestored = 0;

  add(kind: EventKind): void {
    this[kind]++;
  }

  addAll(other: EventCounts): void {
    this.regular += other.regular;
    this.view += other.view;
    this.transitional += other.transitional;
    this.selfLeave += other.selfLeave;
    this.rejected += other.rejected;
    this.connectionLost += other.connectionLost;
    this.connectionRestored += other.connectionRestored;
  }
}

/** How many messages with each guarantee. */
export class ServiceCounts {
  UNRELIABLE = 0;
  RELIABLE = 0;
  FIFO = 0;
  CAUSAL = 0;
  AGREED = 0;
  SAFE = 0;

  add(service: ServiceTypeName): void {
    this[service]++;
  }

  addAll(other: ServiceCounts): void {
    this.UNRELIABLE += other.UNRELIABLE;
    this.RELIABLE += other.RELIABLE;
    this.FIFO += other.FIFO;
    this.CAUSAL += other.CAUSAL;
    this.AGREED += other.AGREED;
    this.SAFE += other.SAFE;
  }
}

/** What all mailboxes, also those that are gone, have done since the start. Only ever grows. */
export interface MailboxTotals {
  readonly received: Readonly<Record<EventKind, number>>;
  /** Bytes of encoded events queued. */
  readonly eventBytes: number;
  /** Events given to receivers; one that is given again counts again. */
  readonly eventsGiven: number;
  readonly messagesSent: number;
  readonly sentByService: Readonly<Record<ServiceTypeName, number>>;
  readonly payloadBytesSent: number;
}

/** How one mailbox stands. `LEAVING`: it can't be found any more, but its receiver or its connection is not through yet. */
export type MailboxFigures = Omit<MailboxSnapshot, 'state'> & {
  readonly state: MailboxSnapshot['state'] | 'LEAVING';
};

/** How things stand now. */
export interface MailboxSizes {
  readonly open: number;
  readonly ended: number;
  /** Those that can't be found any more, but whose receiver or connection is not through yet. */
  readonly leaving: number;
  readonly receivers: number;
  readonly paused: number;
  readonly waitingEvents: number;
  readonly waitingBytes: number;
  /** Bytes that the queues hold, replay windows and copies on their way to clients included, and their bound. */
  readonly retainedBytes: number;
  readonly retainedBytesBound: number;
  readonly sendQueueBytes: number;
}
