import {
  encodeSelfLeave,
  encodeView,
  type Frame,
  JOIN_MESS,
  LEAVE_MESS,
  MAX_GROUP_NAME,
  readName,
  SELF_DISCARD,
} from '../spread/wire/index.js';
import type { ClientConnection } from './client-connection.js';
import { GroupTable, type ViewChange } from './group-table.js';
import type { QueueBudget } from './output/queue-budget.js';
import { relayedFrame, SharedFrame } from './output/shared-frame.js';

export interface MessageExchangeOptions {
  /** First two words of all group IDs. */
  readonly membershipId: readonly [number, number];
  readonly budget: QueueBudget;
  readonly maxQueuedBytes: number;
  readonly maxMemberships: number;
  /** All sessions by private group. */
  readonly sessions: ReadonlyMap<string, ClientConnection>;
  /** A limit of the whole daemon is reached, and this session has the largest share, so it must end. */
  readonly onOverload: (session: ClientConnection, message: string) => void;
}

const HASH = 0x23;

/**
 * Converts the requests of sessions to messages for sessions. Each request is processed completely, in the order
 * of the calls. Sessions that end meanwhile leave their groups directly after the message that is being delivered.
 */
export class MessageExchange {
  readonly #table = new GroupTable<ClientConnection>();
  readonly #departed: ClientConnection[] = [];
  #busy = false;
  #delivery = 0;
  readonly counts = { messagesReceived: 0, messagesDelivered: 0, membershipsDelivered: 0 };

  constructor(private readonly options: MessageExchangeOptions) {}

  get groups(): number {
    return this.#table.groups;
  }

  get memberships(): number {
    return this.#table.memberships;
  }

  /** A regular message, join or leave of `sender` with a checked header. */
  process(sender: ClientConnection, frame: Frame): void {
    this.#busy = true;
    try {
      const { type } = frame.header;
      if ((type & JOIN_MESS) !== 0) this.#join(sender, frame);
      else if ((type & LEAVE_MESS) !== 0) this.#leave(sender, frame);
      else this.#multicast(sender, frame);
      if (this.options.budget.bytes > this.options.maxQueuedBytes) this.#cutLongestQueue();
    } finally {
      this.#settle();
    }
  }

  /** `session` has ended: removes it from all its groups. */
  depart(session: ClientConnection): void {
    this.#departed.push(session);
    if (this.#busy) return;
    this.#busy = true;
    this.#settle();
  }

  #settle(): void {
    try {
      for (let session = this.#departed.shift(); session; session = this.#departed.shift())
        for (const change of this.#table.disconnect(session)) this.#announce(change);
    } finally {
      this.#busy = false;
    }
  }

  #join(session: ClientConnection, frame: Frame): void {
    // For a join without a group name, real Spread uses whatever is in its memory. Here the join is ignored.
    if (frame.header.numGroups === 0) return;
    if (this.#table.memberships >= this.options.maxMemberships) {
      this.#cutBiggestMember();
      if (!session.isOpen) return;
    }
    const change = this.#table.join(readName(frame.body, 0), session);
    if (change) this.#announce(change, session);
  }

  #leave(session: ClientConnection, frame: Frame): void {
    if (frame.header.numGroups === 0) return;
    const change = this.#table.leave(readName(frame.body, 0), session);
    if (!change) return;
    if (session.membership) this.#give(session, new SharedFrame([encodeSelfLeave(change.group)]), session);
    this.#announce(change, session);
  }

  /** @param cause the sender of the request: it is slowed down for receivers that read too slowly */
  #announce(change: ViewChange<ClientConnection>, cause?: ClientConnection): void {
    let view: SharedFrame | undefined;
    for (const member of change.members) {
      if (!member.membership) continue;
      view ??= new SharedFrame([this.#encode(change)]);
      this.#give(member, view, cause);
    }
  }

  #encode({ group, cause, changed, members, index }: ViewChange<ClientConnection>): Buffer {
    const [daemon, since] = this.options.membershipId;
    return encodeView({
      group,
      groupId: { words: [daemon, since, index] },
      cause,
      members: members.map((member) => member.privateGroup),
      vsSets: [[changed.privateGroup]],
    });
  }

  #give(session: ClientConnection, frame: SharedFrame, cause?: ClientConnection): void {
    this.counts.membershipsDelivered += 1;
    session.deliver(frame, cause);
  }

  #multicast(sender: ClientConnection, frame: Frame): void {
    this.counts.messagesReceived += 1;
    const delivery = ++this.#delivery;
    // A receiver with the number of this delivery has its copy, or must not get one.
    if ((frame.header.type & SELF_DISCARD) !== 0) sender.lastDelivered = delivery;
    let copy: SharedFrame | undefined;
    const deliver = (receiver: ClientConnection) => {
      if (receiver.lastDelivered === delivery) return;
      receiver.lastDelivered = delivery;
      copy ??= relayedFrame(frame);
      this.counts.messagesDelivered += 1;
      receiver.deliver(copy, sender);
    };
    for (let i = 0; i < frame.header.numGroups; i++) {
      const offset = i * MAX_GROUP_NAME;
      const destination = readName(frame.body, offset);
      if (frame.body[offset] === HASH) {
        // Always a session, never a group with that name (Spread 5.0.1, transcript 66-odd-group-names).
        const receiver = this.options.sessions.get(destination);
        if (receiver) deliver(receiver);
      } else {
        const members = this.#table.members(destination);
        if (members) for (const member of members) deliver(member);
      }
    }
  }

  #cutLongestQueue(): void {
    const largest = this.#largest((session) => session.queuedBytes);
    if (!largest) return;
    const bound = `${this.options.maxQueuedBytes} bytes`;
    this.options.onOverload(
      largest,
      `more than ${bound} are queued for all clients, and this client has the most: ${largest.queuedBytes} bytes`,
    );
  }

  #cutBiggestMember(): void {
    const largest = this.#largest((session) => this.#table.membershipsOf(session));
    if (!largest) return;
    this.options.onOverload(
      largest,
      `the daemon has reached its limit of ${this.options.maxMemberships} memberships, and this client has the most: ${this.#table.membershipsOf(largest)} groups`,
    );
  }

  #largest(share: (session: ClientConnection) => number): ClientConnection | undefined {
    let largest: ClientConnection | undefined;
    for (const session of this.options.sessions.values())
      if (session.isOpen && (!largest || share(session) > share(largest))) largest = session;
    return largest;
  }
}
