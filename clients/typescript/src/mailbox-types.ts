import type { CallLimits } from './call.js';
import type { MailboxLimits } from './limits.js';
import type { AcknowledgementMode, MailboxState, VersionTriple } from './mailbox-info.js';
import type { ViewMessage } from './messages.js';
import type { SlowConsumer } from './slow-consumer.js';
import type { SpreadError } from './spread-error.js';

/** Options of `join` and `leave`. */
export interface MembershipOptions extends CallLimits {
  /** Answer only when this mailbox's own view, or self-leave, has arrived, and give it. Default: false. */
  awaitView?: boolean;
}

/** Options of `disconnect`. */
export interface DisconnectOptions extends CallLimits {
  /** Leave every group first, so that the others see LEAVE and not DISCONNECT. Default: false. */
  leaveGroupsFirst?: boolean;
  /** Drop the daemon's socket without a goodbye (SP_kill), for tests of failure. Default: false. */
  abort?: boolean;
}

/** What waits to be received. */
export interface PollResult {
  /** Events that `receive()` gives without asking the sidecar. */
  bufferedEvents: number;
  /** Events that wait in the sidecar. */
  waitingEvents: number;
  /** Their bytes. */
  waitingBytes: number;
  /** Unlike SP_poll, this tells a mailbox whose daemon is gone from an empty one. */
  state: MailboxState;
}

/** A group's current view. */
export interface CurrentView {
  view: ViewMessage;
  /** A transitional signal has come after it: a NETWORK view will follow. */
  inTransition: boolean;
}

/** What a Receive stream was attached to. */
export interface Attached {
  /** The sequence of the next event. */
  nextSequence: bigint;
  /** The groups that the mailbox is in. */
  groups: string[];
}

/** What a Mailbox emits besides its events, which are received and not emitted. */
export interface MailboxNotices {
  /** A stream stands, the first or one that goes on behind the last event of a broken one. */
  attached: [info: Attached];
  /** A stream broke; it is being made anew. */
  detached: [error: SpreadError];
  /** The queue in the sidecar fills faster than it is emptied. */
  slowConsumer: [notice: SlowConsumer];
  /** Nothing more will be received: with an error, or without after `disconnect` or `detach`. */
  ended: [error: SpreadError | undefined];
}

/** What a Mailbox is made of; see `SpreadSidecar.connect`. */
export interface MailboxInit {
  id: string;
  privateGroup: string;
  daemon: string;
  daemonVersion: VersionTriple;
  limits: MailboxLimits;
  acknowledgement: AcknowledgementMode;
  afterSequence: bigint;
}
