import { status } from '@grpc/grpc-js';
import type { CallLimits } from '../call.js';
import type { GroupId } from '../group-id.js';
import type { Mailbox } from '../mailbox.js';
import type { SpreadEvent } from '../messages.js';
import type { MailboxOptions, SpreadSidecar } from '../sidecar.js';
import { disconnectedError, SpreadError } from '../spread-error.js';

/** Who leads the group. */
export interface Leadership {
  /**
   * The leader's private group. Undefined while no leader is certain: before the first view, between a transitional
   * signal and the next view, and after the end.
   */
  readonly leader: string | undefined;
  /** Whether this member is the leader. */
  readonly isLeader: boolean;
  /**
   * The group ID of the view, as a fence: no two leaders have the same group ID. Pass it with each action of the
   * leader, so that the receiver can reject actions of an earlier leader.
   */
  readonly groupId: GroupId | undefined;
}

/** Options of {@link joinElection}. */
export interface ElectionOptions
  extends Omit<MailboxOptions, 'membership' | 'autoReceive' | 'manualAcknowledgement'> {
  /** Called after each change, also at the end. It must not throw. */
  onChange?: (leadership: Leadership) => void;
}

const NO_LEADER: Leadership = { leader: undefined, isLeader: false, groupId: undefined };

/**
 * The leader of a group is the first member of its view. Without I/O: the same events give the same leader.
 * docs/building-blocks.md describes the guarantees.
 */
export function nextLeadership(group: string, self: string, now: Leadership, event: SpreadEvent): Leadership {
  switch (event.kind) {
    case 'view': {
      if (event.group !== group) return now;
      const leader = event.members[0];
      return { leader, isLeader: leader === self, groupId: event.groupId };
    }
    // Until the next view, members on the other side of a partition may already have another leader.
    case 'transitional':
    case 'selfLeave':
      return event.group === group ? NO_LEADER : now;
    case 'connectionLost':
      return NO_LEADER;
    default:
      return now;
  }
}

/**
 * Joins the election of a leader, and waits for the first view.
 *
 * @example
 * ```ts
 * const election = await joinElection(sidecar, 'cleaner', {
 *   onChange: ({ isLeader, groupId }) => console.log(isLeader ? `leading with fence ${groupId}` : 'following'),
 * });
 * ```
 */
export async function joinElection(
  sidecar: SpreadSidecar,
  group: string,
  options: ElectionOptions & CallLimits = {},
): Promise<LeaderElection> {
  const { onChange, ...rest } = options;
  const mailbox = await sidecar.connect({ endWithConnection: true, ...rest, membership: true });
  const election = new LeaderElection(mailbox, group, onChange);
  try {
    await mailbox.join(group, { signal: options.signal, timeoutMs: options.timeoutMs, awaitView: true });
    return election;
  } catch (error) {
    await election.close().catch(() => {});
    throw error;
  }
}

/** This process as a member of an election. */
export class LeaderElection {
  readonly #mailbox: Mailbox;
  readonly #onChange: (leadership: Leadership) => void;
  readonly #loop: Promise<void>;
  #now = NO_LEADER;
  #end: SpreadError | undefined;

  /** Use {@link joinElection} instead of this constructor. */
  constructor(
    mailbox: Mailbox,
    readonly group: string,
    onChange: (leadership: Leadership) => void = () => {},
  ) {
    this.#mailbox = mailbox;
    this.#onChange = onChange;
    this.#loop = this.#receive();
  }

  /** This member's private group. */
  get self(): string {
    return this.#mailbox.privateGroup;
  }

  /** Who leads now. */
  get leadership(): Leadership {
    return this.#now;
  }

  /** Why this member is no longer in the election. Undefined while it is. */
  get ended(): SpreadError | undefined {
    return this.#end;
  }

  /** Leaves the election. The next member becomes the leader at once. */
  async close(limits: CallLimits = {}): Promise<void> {
    this.#endWith(disconnectedError());
    await this.#mailbox.disconnect(limits);
    await this.#loop;
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const event = await this.#mailbox.receive();
        if (event.kind === 'rejected')
          throw new SpreadError(`the daemon's access policy rejects the group ${this.group}`, {
            status: status.PERMISSION_DENIED,
          });
        this.#set(nextLeadership(this.group, this.self, this.#now, event));
      }
    } catch (error) {
      this.#endWith(error as SpreadError);
    }
  }

  #set(next: Leadership): void {
    if (next === this.#now || this.#end) return;
    this.#now = next;
    this.#onChange(next);
  }

  #endWith(error: SpreadError): void {
    if (this.#end) return;
    this.#set(NO_LEADER);
    this.#end = error;
  }
}
