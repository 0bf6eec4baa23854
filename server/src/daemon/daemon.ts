import type { Duplex } from 'node:stream';
import {
  checkDaemonName,
  type Frame,
  KILL_MESS,
  privateGroupOf,
  type ReceivedConnectRequest,
  type SpreadCodeName,
  WireError,
} from '../spread/wire/index.js';
import { FairTurns } from '../timing/fair-turns.js';
import { ClientConnection, type ConnectionHost } from './client-connection.js';
import type { CutReason, DaemonCounters, DaemonEvent, Transport } from './events.js';
import { MessageExchange } from './message-exchange.js';
import { daemonId, inventName } from './naming.js';
import { QueueBudget } from './output/queue-budget.js';
import { SlowLane } from './output/slow-lane.js';
import { TurnFlush } from './output/turn-flush.js';

export interface EmbeddedDaemonOptions {
  /** The daemon's part of private groups, 1 to 19 bytes of 0x24..0x7e. Default: `localhost`. */
  readonly name?: string;
  /**
   * Limit of messages queued for a client that does not read. One more disconnects it. At least 1, default 1000.
   */
  readonly maxSessionMessages?: number;
  /** Limit of sessions. The next client is rejected with REJECT_QUOTA. At least 1, default 997. */
  readonly maxSessions?: number;
  /**
   * Limit of bytes queued for all clients. Above it, the client with the longest queue is disconnected. Default:
   * 256 MiB.
   */
  readonly maxQueuedBytes?: number;
  /** Limit of pairs of member and group. Above it, the client in most groups is disconnected. Default: 100,000. */
  readonly maxMemberships?: number;
  /** Time that a client may be silent in the handshake. Unit: ms. Default: 1000. */
  readonly handshakeTimeoutMs?: number;
  /** First word of group IDs, 1..4294967294. Default: derived from the name, like in real Spread. */
  readonly id?: number;
  /** Called for each event. Must not throw. */
  readonly onEvent?: (event: DaemonEvent) => void;
}

const DEFAULTS = {
  name: 'localhost',
  maxSessionMessages: 1000,
  maxSessions: 997,
  maxQueuedBytes: 256 * 1024 * 1024,
  maxMemberships: 100_000,
  handshakeTimeoutMs: 1000,
};

/** Time that clients get to close their ends when the daemon stops. Unit: ms. */
const SHUTDOWN_LINGER_MS = 200;

/**
 * A single-node Spread daemon, wire-compatible with Spread 5.0.1 for clients of versions 3.1 to 5. It opens no
 * sockets, but is handed connections. It processes all messages, joins, leaves and ends in the order of their
 * arrival, so all clients see this one order.
 */
export class EmbeddedDaemon {
  readonly name: string;

  readonly #options: Required<Omit<EmbeddedDaemonOptions, 'id' | 'onEvent'>>;
  readonly #onEvent: (event: DaemonEvent) => void;
  readonly #connections = new Set<ClientConnection>();
  /** The clients by private group, including those in the handshake. */
  readonly #named = new Map<string, ClientConnection>();
  readonly #budget = new QueueBudget();
  readonly #exchange: MessageExchange;
  readonly #host: ConnectionHost;
  readonly #counts = { sessionsOpened: 0, sessionsCut: 0, clientsRefused: 0 };
  #nextNumber = 1;
  #closing = false;
  #closed: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  /** @throws WireError for an illegal name, RangeError for a number out of its range */
  constructor(options: EmbeddedDaemonOptions = {}) {
    const { id, onEvent, ...given } = options;
    const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    this.#options = { ...DEFAULTS, ...defined };
    checkDaemonName(this.#options.name);
    for (const [option, value] of Object.entries(this.#options))
      if (typeof value === 'number' && !(value >= 1))
        throw new RangeError(`${option} is ${value}; it must be at least 1`);
    this.name = this.#options.name;
    this.#onEvent = onEvent ?? (() => {});
    this.#exchange = new MessageExchange({
      membershipId: [id ?? daemonId(this.name), Math.floor(Date.now() / 1000)],
      budget: this.#budget,
      maxQueuedBytes: this.#options.maxQueuedBytes,
      maxMemberships: this.#options.maxMemberships,
      sessions: this.#named,
      onOverload: (session, message) => this.#cut(session, 'memory', message),
    });
    this.#host = this.#connectionHost();
  }

  /** Serves one client on `stream`, from which no byte was read yet. */
  handle(stream: Duplex, transport: Transport): void {
    if (this.#closing) {
      stream.destroy();
      return;
    }
    const connection = new ClientConnection(stream, transport, this.#host);
    this.#connections.add(connection);
    const { maxSessions } = this.#options;
    if (this.#named.size >= maxSessions) {
      connection.refuse('REJECT_QUOTA', quotaMessage(maxSessions));
    } else if (this.#connections.size > 2 * maxSessions) {
      // Connections without a name, and those that are ending, also have a limit.
      this.#refused(connection, undefined, `there are more than ${2 * maxSessions} connections`);
      connection.abandon();
    }
  }

  /** Ends all connections. Clients get the queued bytes that their streams accept now, then the end of stream. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  counters(): DaemonCounters {
    let sessions = 0;
    for (const connection of this.#named.values()) if (connection.isOpen) sessions += 1;
    return {
      ...this.#counts,
      ...this.#exchange.counts,
      sessions,
      connections: this.#connections.size,
      groups: this.#exchange.groups,
      memberships: this.#exchange.memberships,
      queuedBytes: this.#budget.bytes,
    };
  }

  async #close(): Promise<void> {
    this.#closing = true;
    for (const connection of [...this.#connections]) {
      if (connection.isOpen)
        this.#onEvent({ kind: 'session-closed', privateGroup: connection.privateGroup, reason: 'shutdown' });
      connection.finish(SHUTDOWN_LINGER_MS);
    }
    if (this.#connections.size > 0)
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
  }

  #connectionHost(): ConnectionHost {
    const turnFlush = new TurnFlush();
    return {
      budget: this.#budget,
      slowLane: new SlowLane(),
      turns: new FairTurns(),
      messagesHandled: () => {
        const { messagesReceived, messagesDelivered, membershipsDelivered } = this.#exchange.counts;
        return messagesReceived + messagesDelivered + membershipsDelivered;
      },
      maxSessionMessages: this.#options.maxSessionMessages,
      handshakeTimeoutMs: this.#options.handshakeTimeoutMs,
      claimName: (connection, name) => this.#claimName(connection, name),
      opened: (connection, request) => this.#opened(connection, request),
      received: (connection, frame) => this.#received(connection, frame),
      refused: (connection, code, message) => this.#refused(connection, code, message),
      lost: (connection) => this.#ended(connection, 'connection-lost'),
      cut: (connection, reason, message, error) => this.#cut(connection, reason, message, error),
      queued: (connection) => turnFlush.add(connection),
      closed: (connection) => this.#removed(connection),
    };
  }

  #claimName(connection: ClientConnection, name: string): string {
    const { maxSessions } = this.#options;
    if (this.#named.size >= maxSessions)
      throw new WireError('REJECT_QUOTA', 'session', quotaMessage(maxSessions));
    const isTaken = (wanted: string) => this.#named.has(privateGroupOf(wanted, this.name));
    if (isTaken(name))
      throw new WireError('REJECT_NOT_UNIQUE', 'private_name', `the private name '${name}' is in use`);
    const privateGroup = privateGroupOf(name || inventName(this.#nextNumber++, isTaken), this.name);
    this.#named.set(privateGroup, connection);
    return privateGroup;
  }

  #opened(connection: ClientConnection, request: ReceivedConnectRequest): void {
    this.#counts.sessionsOpened += 1;
    const { transport, privateGroup } = connection;
    const { version, membership } = request;
    this.#onEvent({ kind: 'session-opened', transport, privateGroup, version, membership });
  }

  #refused(connection: ClientConnection, code: SpreadCodeName | undefined, message: string): void {
    this.#freeName(connection);
    const { transport } = connection;
    if (code) {
      this.#counts.clientsRefused += 1;
      this.#onEvent({ kind: 'client-refused', transport, code, message });
    } else {
      this.#onEvent({ kind: 'client-abandoned', transport, message });
    }
  }

  #received(connection: ClientConnection, frame: Frame): void {
    if ((frame.header.type & KILL_MESS) !== 0) this.#ended(connection, 'disconnect');
    else this.#exchange.process(connection, frame);
  }

  #ended(connection: ClientConnection, reason: 'disconnect' | 'connection-lost'): void {
    this.#onEvent({ kind: 'session-closed', privateGroup: connection.privateGroup, reason });
    connection.finish();
    this.#depart(connection);
  }

  #cut(connection: ClientConnection, reason: CutReason, message: string, error?: unknown): void {
    const { privateGroup, queuedMessages: messagesLost } = connection;
    this.#counts.sessionsCut += 1;
    this.#onEvent({ kind: 'session-cut', privateGroup, reason, message, messagesLost, error });
    if (reason === 'illegal-message') connection.finish();
    else connection.abandon();
    this.#depart(connection);
  }

  #depart(connection: ClientConnection): void {
    this.#freeName(connection);
    this.#exchange.depart(connection);
  }

  #freeName(connection: ClientConnection): void {
    if (this.#named.get(connection.privateGroup) === connection) this.#named.delete(connection.privateGroup);
  }

  #removed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onEmpty?.();
  }
}

const quotaMessage = (maxSessions: number): string =>
  `the daemon has reached its maximum number of sessions: ${maxSessions}`;
