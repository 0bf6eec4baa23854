import type { SpreadError } from '../../spread/spread-error.js';
import { type Message, SpreadCode, type Version } from '../../spread/wire/index.js';
import { interruptedBy } from '../end-errors.js';
import type { ConnectionLost, ConnectionRestored } from '../event.js';
import type { GroupMemberships } from '../group-memberships.js';
import type { EndReason, MailboxEnd } from '../mailbox-types.js';
import type { Outbox } from '../outbound/outbox.js';
import type { MailboxIdentity, MailboxTelemetry } from '../telemetry.js';
import type { OpenedSession } from './daemon-failover.js';
import type { MailboxSession } from './mailbox-session.js';
import { Reconnector, type ReconnectorOptions } from './reconnector.js';

/** How a lost connection is replaced, and what happens to messages meanwhile. */
export type ReconnectPlan = ReconnectorOptions & { readonly queueMulticasts: boolean };

export interface DaemonConnectionOptions {
  /** Connected and not started. */
  readonly opened: OpenedSession;
  readonly outbox: Outbox;
  readonly groups: GroupMemberships;
  /** Time limit for a clean disconnect, after which the connection is aborted. Unit: ms. */
  readonly disconnectTimeoutMs: number;
  readonly telemetry: MailboxTelemetry;
  /** The public data of the mailbox. */
  readonly mailbox: MailboxIdentity;
  /** Undefined: the mailbox ends with the connection. */
  readonly reconnect?: ReconnectPlan | undefined;
}

/** Receives the messages and events of a connection. */
export interface ConnectionListener {
  /** Called for every message. */
  readonly onMessage: (message: Message, receivedAtMs: number) => void;
  /** The connection was lost or restored. The event may exceed the queue's limit, which ends the mailbox. */
  onContinuity(event: ConnectionLost | ConnectionRestored): void;
  /** The connection is lost and will not be replaced: the mailbox must end. */
  onEnd(reason: EndReason, message: string): void;
}

/**
 * A mailbox's connection to its daemon: one session, which is replaced when it is lost and the mailbox reconnects.
 */
export class DaemonConnection {
  readonly #options: DaemonConnectionOptions;
  #listener!: ConnectionListener;
  readonly #reconnector: Reconnector | undefined;
  /** The current session, or the last one while there is none. */
  #session: MailboxSession;
  #daemon: string;
  /** Reading is paused, so a new connection could not deliver anything. */
  #isPaused = false;
  /** The end of the mailbox. Undefined while it is open. */
  #end: MailboxEnd | undefined;
  /** Time of the loss of the connection that is being replaced, by the monotonic clock. */
  #lostAt: number | undefined;

  constructor(options: DaemonConnectionOptions) {
    this.#options = options;
    this.#session = options.opened.session;
    this.#daemon = options.opened.daemon;
    this.#reconnector = options.reconnect && this.#makeReconnector(options.reconnect);
  }

  /** The current or last daemon, as a Spread name. */
  get daemon(): string {
    return this.#daemon;
  }

  get daemonVersion(): Version {
    return this.#session.daemonVersion;
  }

  get privateGroup(): string {
    return this.#session.privateGroup;
  }

  /** True while the session is being replaced. */
  get isLost(): boolean {
    return this.#lostAt !== undefined;
  }

  /** Starts to deliver messages to the listener. Call it once. */
  start(listener: ConnectionListener): void {
    this.#listener = listener;
    this.#startSession();
  }

  #startSession(): void {
    this.#session.start({
      onMessage: this.#listener.onMessage,
      onClose: (error) => this.#onClose(error),
      onDrain: () => this.#options.outbox.onDrain(),
    });
  }

  /** Pauses reading and reconnecting, because the queue has no room for input. */
  pause(): void {
    this.#isPaused = true;
    this.#session.pause();
  }

  /** Resumes reading and reconnecting. */
  resume(): void {
    this.#isPaused = false;
    this.#session.resume();
    this.#reconnector?.retry();
  }

  /** Closes the socket as if the daemon had closed it. False when there is none, because it is being replaced. */
  drop(): boolean {
    if (this.isLost) return false;
    this.#session.drop();
    return true;
  }

  /** Closes the socket without a disconnect message. */
  abort(): void {
    this.#session.abort();
  }

  /** Disconnects cleanly after leaving these groups. Resolves when the connection is closed. Never rejects. */
  disconnect(leaving: readonly string[]): Promise<void> {
    return disconnect(this.#session, this.#options.outbox, leaving, this.#options.disconnectTimeoutMs);
  }

  /**
   * The mailbox has ended: stops reconnecting, and fails waiting messages. Returns undefined if there is a
   * session. Otherwise resolves when no attempt is active at any daemon. Never rejects.
   */
  giveUp(end: MailboxEnd): Promise<void> | undefined {
    this.#end = end;
    if (this.#lostAt === undefined) return undefined;
    const stopped = this.#reconnector!.stop();
    this.#failSends();
    return stopped;
  }

  #onClose(error: SpreadError | undefined): void {
    const message = error?.message ?? 'the connection to the daemon was closed';
    if (this.#end === undefined) {
      if (error?.code === 'SP_BUG') {
        this.#options.telemetry.defect(error.cause ?? error);
        this.#listener.onEnd('INTERNAL', 'an internal error of the sidecar ended the mailbox');
      } else if (this.#reconnector !== undefined) {
        this.#reconnect(this.#reconnector, error?.number ?? SpreadCode.CONNECTION_CLOSED, message);
        return;
      } else {
        this.#listener.onEnd('CONNECTION_CLOSED', message);
      }
    }
    this.#failSends();
  }

  #failSends(): void {
    const end = this.#end!;
    this.#options.outbox.fail((outcome) => interruptedBy(end, outcome));
  }

  #reconnect(reconnector: Reconnector, spreadCode: number, message: string): void {
    const { groups, outbox, reconnect, telemetry, mailbox } = this.#options;
    const { privateGroup } = this;
    this.#lostAt = performance.now();
    const names = groups.names;
    groups.lost();
    outbox.lose(reconnect!.queueMulticasts ? 'wait' : 'refuse');
    telemetry.reconnecting(mailbox, message);
    this.#listener.onContinuity({ kind: 'connectionLost', privateGroup, groups: names, spreadCode });
    if (this.#end === undefined) reconnector.start(this.#daemon);
  }

  #restore({ session, daemon }: OpenedSession): void {
    const { groups, outbox, telemetry, mailbox } = this.#options;
    const previousPrivateGroup = this.privateGroup;
    const seconds = (performance.now() - this.#lostAt!) / 1000;
    this.#lostAt = undefined;
    this.#session = session;
    this.#daemon = daemon;
    const { privateGroup } = session;
    const names = groups.names;
    groups.restored(privateGroup);
    telemetry.reconnected(mailbox, previousPrivateGroup, seconds);
    const kind = 'connectionRestored';
    this.#listener.onContinuity({ kind, previousPrivateGroup, privateGroup, groups: names, daemon });
    this.#startSession();
    if (this.#end === undefined) outbox.restore(session, names);
    else this.#failSends();
  }

  #makeReconnector(options: ReconnectorOptions): Reconnector {
    const { telemetry, mailbox } = this.#options;
    return new Reconnector(options, {
      mayTry: () => !this.#isPaused,
      failed: (daemon, error) => telemetry.reconnectFailed(mailbox, daemon, error),
      restored: (opened) => this.#restore(opened),
      givenUp: (why) => {
        const message = `the connection to the daemon was lost and the sidecar could not reconnect: ${why}`;
        telemetry.reconnectGivenUp(mailbox, message);
        this.#listener.onEnd('CONNECTION_CLOSED', message);
      },
    });
  }
}

/**
 * Disconnects cleanly: sends queued messages, then a leave of each of these groups, then the disconnect message.
 * Resolves when the connection is closed. Aborts it after `timeoutMs` milliseconds. Never rejects.
 */
function disconnect(
  session: Pick<MailboxSession, 'leave' | 'disconnect' | 'abort'>,
  outbox: Outbox,
  leaving: readonly string[],
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const tooLate = setTimeout(() => session.abort(), timeoutMs);
    outbox.whenIdle(() => {
      try {
        for (const group of leaving) session.leave(group);
      } catch {
        // The session was lost meanwhile, so it has ended as well.
      }
      void session.disconnect(timeoutMs).then(() => {
        clearTimeout(tooLate);
        resolve();
      });
    });
  });
}
