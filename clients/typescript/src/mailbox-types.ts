import type { CallLimits } from './call.js';
import type { MailboxLimits } from './limits.js';
import type { AcknowledgementMode, MailboxState, VersionTriple } from './mailbox-info.js';
import type { ViewMessage } from './messages.js';
import type { SlowConsumer } from './slow-consumer.js';
import type { SpreadError } from './spread-error.js';

/** Options of `join` and `leave`. */
export interface MembershipOptions extends CallLimits {
  /**
   * Whether to wait for the first view with this mailbox (`join`) or the self-leave (`leave`), and return it.
   * Default: false.
   */
  awaitView?: boolean;
}

/** Options of `disconnect`. */
export interface DisconnectOptions extends CallLimits {
  /**
   * Whether to leave all groups first, so that other members see LEAVE instead of DISCONNECT. Default: false.
   */
  leaveGroupsFirst?: boolean;
  /**
   * Whether to close the daemon connection without a disconnect message (SP_kill), for failure tests.
   * Default: false.
   */
  abort?: boolean;
}

/** The numbers of queued events. */
export interface PollResult {
  /** Number of events that `receive()` returns without a call to the sidecar. */
  bufferedEvents: number;
  /** Number of queued events in the sidecar. */
  waitingEvents: number;
  /** Size of the queued events in the sidecar. Unit: bytes. */
  waitingBytes: number;
  /**
   * The state of the mailbox. It shows a lost daemon connection, which SP_poll does not distinguish from an
   * empty queue.
   */
  state: MailboxState;
}

/** The current view of a group. */
export interface CurrentView {
  view: ViewMessage;
  /** Whether a transitional signal followed the view. A NETWORK view will follow. */
  inTransition: boolean;
}

/** The state of a mailbox when a Receive stream attaches. */
export interface Attached {
  /** The sequence of the next event. */
  nextSequence: bigint;
  /** The groups of the mailbox. */
  groups: string[];
}

/**
 * The notifications that a Mailbox emits. Events are not emitted: use `receive()` or iterate over the
 * mailbox.
 */
export interface MailboxNotices {
  /** A stream is attached. It is the first stream, or a stream that resumes after a broken stream. */
  attached: [info: Attached];
  /** A stream broke. The client attaches again. */
  detached: [error: SpreadError];
  /** Events arrive in the sidecar's queue faster than the application receives them. */
  slowConsumer: [notice: SlowConsumer];
  /** The mailbox receives nothing more. The error is undefined after `disconnect` or `detach`. */
  ended: [error: SpreadError | undefined];
}

/** The arguments of a Mailbox; see `SpreadSidecar.connect`. */
export interface MailboxInit {
  id: string;
  privateGroup: string;
  daemon: string;
  daemonVersion: VersionTriple;
  limits: MailboxLimits;
  acknowledgement: AcknowledgementMode;
  afterSequence: bigint;
}
