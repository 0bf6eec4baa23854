import type { ServiceTypeName } from '../spread/wire/index.js';
import type { MailboxEvent } from './event.js';

export type EventKind = MailboxEvent['kind'];

/** Number of events of each kind. */
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

/** Number of messages with each service type. */
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
