import type { SpreadError } from '../../spread/spread-error.js';
import { type Message, SpreadCode, type Version } from '../../spread/wire/index.js';
import { interruptedBy } from '../end-errors.js';
import type { ConnectionLost, ConnectionRestored } from '../event.js';
import type { GroupMemberships } from '../group-memberships.js';
import type { EndReason, MailboxEnd } from '../mailbox-types.js';
import type { Outbox } from '../outbound/outbox.js';
import type { MailboxIdentity, MailboxTelemetry } from '../telemetry.js';
import type { OpenedSession } from './daemon-failover.js';
import { sayGoodbye } from './goodbye.js';
import type { MailboxSession } from './mailbox-session.js';
import { Reconnector, type ReconnectorOptions } from './reconnector.js';

/** How a lost connection is made anew, and what becomes of messages meanwhile. */
export type ReconnectPlan = ReconnectorOptions & { readonly queueMulticasts: boolean };

export interface DaemonConnectionOptions {
  /** Connected and not started. */
  readonly opened: OpenedSession;
  readonly outbox: Outbox;
  readonly groups: GroupMemberships;
  /** How long a clean goodbye may take before the connection is dropped, milliseconds. */
  readonly goodbyeMs: number;
  readonly telemetry: MailboxTelemetry;
  /** Whose connection it is. */
  readonly mailbox: MailboxIdentity;
  /** Undefined: the mailbox ends with the connection. */
  readonly reconnect?: ReconnectPlan | undefined;
}

/** What the connection asks of its mailbox. */
export interface DaemonConnectionHooks {
  /** Runs for every message. */
  readonly onMessage: (message: Message, receivedAtMs: number) => void;
  /** Continuity broke, or began anew. The event may be one too many for the queue, which ends the mailbox. */
  enqueue(event: ConnectionLost | ConnectionRestored): void;
  /** False while nothing more could be queued. */
  mayReconnect(): boolean;
  /** How the mailbox has ended; undefined while it is open. */
  end(): MailboxEnd | undefined;
  /** Ends the mailbox. */
  finish(reason: EndReason, message: string): void;
}

/**
 * A mailbox's connection to its daemon: one session, and another in its place if that is lost and the mailbox
 * reconnects.
 */
export class DaemonConnection {
  readonly #options: DaemonConnectionOptions;
  readonly #hooks: DaemonConnectionHooks;
  readonly #reconnector: Reconnector | undefined;
  /** The present one, or the last one while there is none. */
  #session: MailboxSession;
  #daemon: string;
  /** When the connection that is being made anew was lost, by the monotonic clock. */
  #lostAt: number | undefined;

  constructor(options: DaemonConnectionOptions, hooks: DaemonConnectionHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#session = options.opened.session;
    this.#daemon = options.opened.daemon;
    this.#reconnector = options.reconnect && this.#makeReconnector(options.reconnect);
  }

  /** The daemon that it is connected to, or was last, as a spread name. */
  get daemon(): string {
    return this.#daemon;
  }

  get daemonVersion(): Version {
    return this.#session.daemonVersion;
  }

  get privateGroup(): string {
    return this.#session.privateGroup;
  }

  /** True while it is being made anew. */
  get isLost(): boolean {
    return this.#lostAt !== undefined;
  }

  /** Messages come from now on. */
  start(): void {
    this.#session.start({
      onMessage: this.#hooks.onMessage,
      onClose: (error) => this.#onClose(error),
      onDrain: () => this.#options.outbox.onDrain(),
    });
  }

  /** Stops reading. */
  pause(): void {
    this.#session.pause();
  }

  /** Reads on; while the connection is lost, mayReconnect is asked again. */
  resume(): void {
    this.#session.resume();
    this.#reconnector?.retry();
  }

  /** Drops the socket as if the daemon had. False when there is none: it is being made anew. */
  drop(): boolean {
    if (this.isLost) return false;
    this.#session.drop();
    return true;
  }

  /** Drops the socket without a goodbye. */
  abort(): void {
    this.#session.abort();
  }

  /**
   * Leaves the daemon in good order, and these groups before it. Resolves when the connection is closed. Never rejects.
   */
  sayGoodbye(leaving: readonly string[]): Promise<void> {
    return sayGoodbye(this.#session, this.#options.outbox, leaving, this.#options.goodbyeMs);
  }

  /**
   * The mailbox has ended: a lost connection is not made anew any more, and what waited for it fails. Undefined when
   * there is one; else resolves when nothing is under way at any daemon. Never rejects.
   */
  giveUp(): Promise<void> | undefined {
    if (this.#lostAt === undefined) return undefined;
    const stopped = this.#reconnector!.stop();
    this.#failSends();
    return stopped;
  }

  #onClose(error: SpreadError | undefined): void {
    const message = error?.message ?? 'the connection to the daemon was closed';
    if (this.#hooks.end() === undefined) {
      if (error?.code === 'SP_BUG') {
        this.#options.telemetry.defect(error.cause ?? error);
        this.#hooks.finish('INTERNAL', 'an internal error of the sidecar ended the mailbox');
      } else if (this.#reconnector !== undefined) {
        this.#reconnect(this.#reconnector, error?.number ?? SpreadCode.CONNECTION_CLOSED, message);
        return;
      } else {
        this.#hooks.finish('CONNECTION_CLOSED', message);
      }
    }
    this.#failSends();
  }

  #failSends(): void {
    const end = this.#hooks.end()!;
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
    this.#hooks.enqueue({ kind: 'connectionLost', privateGroup, groups: names, spreadCode });
    if (this.#hooks.end() === undefined) reconnector.start(this.#daemon);
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
    this.#hooks.enqueue({ kind, previousPrivateGroup, privateGroup, groups: names, daemon });
    this.start();
    if (this.#hooks.end() === undefined) outbox.restore(session, names);
    else this.#failSends();
  }

  #makeReconnector(options: ReconnectorOptions): Reconnector {
    const { telemetry, mailbox } = this.#options;
    return new Reconnector(options, {
      mayTry: () => this.#hooks.mayReconnect(),
      failed: (daemon, error) => telemetry.reconnectFailed(mailbox, daemon, error),
      restored: (opened) => this.#restore(opened),
      givenUp: (why) => {
        const message = `the connection to the daemon was lost and could not be made anew: ${why}`;
        telemetry.reconnectGivenUp(mailbox, message);
        this.#hooks.finish('CONNECTION_CLOSED', message);
      },
    });
  }
}
