import { randomBytes } from 'node:crypto';
import { Session } from '../../spread/session.js';
import { SpreadError } from '../../spread/spread-error.js';
import type { ConnectOptions } from '../connection/connect-options.js';
import type { ConnectSession } from '../connection/mailbox-session.js';
import { type Opening, SessionOpener } from '../connection/session-opener.js';
import type { EncodeEvent } from '../event.js';
import type { ClientConnection } from '../lifetime/client-presence.js';
import { Mailbox } from '../mailbox.js';
import type { DisconnectOptions } from '../mailbox-types.js';
import type { CallOptions } from '../outbound/requests.js';
import { ByteBudget } from '../queue/byte-budget.js';
import type { MailboxSettings } from '../settings.js';
import { MailboxError } from '../sidecar-error.js';
import { type MailboxTelemetry, SILENT } from '../telemetry.js';
import { ExpiredLeases } from './expired-leases.js';
import { type ListOptions, type MailboxPage, pageOf } from './mailbox-page.js';
import { MailboxSlots, SlotWaiters } from './mailbox-slots.js';
import {
  type InspectedMailbox,
  type MailboxSizes,
  type MailboxStatus,
  type MailboxTotals,
  sizesOf,
  TotalsSum,
} from './statistics.js';

export interface RegistryOptions {
  readonly settings: MailboxSettings;
  readonly encode: EncodeEvent;
  readonly telemetry?: MailboxTelemetry;
  /** Default: Session.connect. */
  readonly connectSession?: ConnectSession;
}

export interface ConnectCall extends CallOptions {
  /** The identity that opens the mailbox. No other identity may use it. Default: '', without identities. */
  readonly caller?: string;
  /** The client whose limit of mailboxes it counts in. Default: the caller's. */
  readonly client?: string;
  /** The address of the caller, for the log. Default: ''. */
  readonly peer?: string;
  /** The connection of the call. Default: none, so that no connection ends the mailbox. */
  readonly connection?: ClientConnection | undefined;
}

/** Clients show this text to users. Their mailbox existed once, so it describes what may have happened to it. */
const UNKNOWN_MAILBOX =
  'the sidecar does not know the mailbox: it was disconnected, its lease expired, or the sidecar restarted; connect again';

/** All mailboxes of the sidecar. Only the registry opens, finds and discards mailboxes. */
export class MailboxRegistry {
  readonly #settings: MailboxSettings;
  readonly #encode: EncodeEvent;
  readonly #telemetry: MailboxTelemetry;
  readonly #opener: SessionOpener;
  readonly #budget: ByteBudget;
  readonly #sendBudget: ByteBudget;
  /** By ID, in the order of opening. */
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #expired = new ExpiredLeases();
  /** Leaving mailboxes: they cannot be found any more, but their receiver or connection is not finished. */
  readonly #leaving = new Set<Mailbox>();
  /** Slots of mailboxes that can be found, that are being opened, and that are leaving. */
  readonly #slots = new MailboxSlots();
  readonly #slotWaiters = new SlotWaiters();
  #isDraining = false;
  /** The counters of discarded mailboxes. */
  readonly #discarded = new TotalsSum();
  #opened = 0;

  /** @throws SpreadError ILLEGAL_SPREAD when the settings name a daemon that is malformed */
  constructor(options: RegistryOptions) {
    this.#settings = options.settings;
    this.#encode = options.encode;
    this.#telemetry = options.telemetry ?? SILENT;
    const connectSession = options.connectSession ?? ((session) => Session.connect(session));
    this.#opener = new SessionOpener(options.settings, connectSession, this.#telemetry);
    this.#budget = new ByteBudget(options.settings.totalQueueBytes);
    this.#sendBudget = new ByteBudget(options.settings.totalSendQueueBytes ?? Number.POSITIVE_INFINITY);
  }

  /**
   * Opens a mailbox. A failure opens none.
   *  Rejects with MailboxError DRAINING, LIMIT_OUT_OF_RANGE, DAEMON_NOT_ALLOWED, TOO_MANY_MAILBOXES,
   * TOTAL_QUEUE_FULL, DEADLINE_EXCEEDED; SpreadError like Session.connect, above all ILLEGAL_SPREAD,
   * COULD_NOT_CONNECT and the daemon's REJECT codes.
   */
  async connect(
    options: ConnectOptions,
    { signal, caller = '', client = caller, peer = '', connection }: ConnectCall = {},
  ): Promise<Mailbox> {
    const opening = await this.#open(options, signal, client);
    if (this.#isDraining) {
      // The drain started in the turn in which the daemon accepted the session.
      this.#slots.release(client);
      await opening.session.disconnect(this.#settings.disconnectTimeoutMs);
      throw draining();
    }
    const mailbox: Mailbox = new Mailbox({
      ...opening,
      id: randomBytes(16).toString('hex'),
      displayId: `m${++this.#opened}`,
      owner: caller,
      client,
      membership: options.membership,
      endWithConnection: options.endWithConnection ?? false,
      acknowledgement: options.acknowledgement,
      noticeMark: this.#settings.noticeMark,
      disconnectTimeoutMs: this.#settings.disconnectTimeoutMs,
      encode: this.#encode,
      budget: this.#budget,
      sendBudget: this.#sendBudget,
      telemetry: this.#telemetry,
      onLeaseEnd: () => this.#expire(mailbox),
    });
    this.#mailboxes.set(mailbox.id, mailbox);
    mailbox.touch(connection);
    this.#telemetry.opened(mailbox, { peer, identity: caller });
    return mailbox;
  }

  /**
   * Finds a mailbox for a call, which renews its lease. For other identities than the owner, the mailbox does not
   * exist.
   *
   * @throws SpreadError ILLEGAL_SESSION; MailboxError LEASE_EXPIRED when that is known to be the reason, DRAINING
   * when the drain has removed mailboxes
   */
  get(id: string, caller = '', connection?: ClientConnection): Mailbox {
    const mailbox = this.#owned(id, caller);
    if (mailbox !== undefined) {
      mailbox.touch(connection);
      return mailbox;
    }
    if (this.#isDraining) throw draining();
    throw this.#expired.errorFor(id, caller) ?? new SpreadError('ILLEGAL_SESSION', UNKNOWN_MAILBOX);
  }

  /**
   * Mailboxes in the order of opening.
   *
   * @throws MailboxError LIMIT_OUT_OF_RANGE (page_size), FIELD_INVALID (page_token)
   */
  list(options: ListOptions): MailboxPage {
    return pageOf(this.#mailboxes.values(), options);
  }

  /**
   * Ends a mailbox. Resolves when its connection is closed to whether this call ended it: false when the caller
   * has no such mailbox, or it had ended already. From now on the ID does not exist.
   *  Rejects with MailboxError FIELD_INVALID when both options are set.
   */
  async disconnect(id: string, options: DisconnectOptions = {}, caller = ''): Promise<boolean> {
    if (options.leaveGroupsFirst && options.abort) {
      throw new MailboxError('FIELD_INVALID', 'leave_groups_first must be false if abort is true', {
        field: 'leave_groups_first',
        bound: 'false if abort is true',
      });
    }
    const mailbox = this.#owned(id, caller);
    if (mailbox === undefined) return false;
    const wasOpen = mailbox.state !== 'ENDED';
    const goodbye = mailbox.disconnect(options);
    this.#remove(mailbox);
    await goodbye;
    return wasOpen;
  }

  /**
   * Closes the connection of a mailbox to its daemon as if the daemon had closed it, for tests of failures.
   *
   * @param name - its ID, display ID or private group
   */
  drop(name: string): 'dropped' | 'unknown' | 'not-connected' {
    for (const mailbox of this.#mailboxes.values())
      if (mailbox.id === name || mailbox.displayId === name || mailbox.privateGroup === name)
        return mailbox.dropConnection() ? 'dropped' : 'not-connected';
    return 'unknown';
  }

  /**
   * Shuts down: opens no more mailboxes, delivers queued events to receivers for up to graceMs, ends them (and
   * later receivers) with DRAINING, and disconnects from every daemon. Resolves when that is done. Never rejects.
   */
  async drain({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#isDraining = true;
    this.#opener.close();
    this.#slotWaiters.wake();
    const mailboxes = [...this.#mailboxes.values(), ...this.#leaving];
    const grace = setTimeout(() => {
      for (const mailbox of mailboxes) mailbox.cutReceiver();
    }, graceMs);
    const drained = () => Promise.all(mailboxes.map((mailbox) => mailbox.drain()));
    await drained();
    for (const mailbox of mailboxes) this.#remove(mailbox);
    // A receiver may have attached to a mailbox that has already sent its disconnect message.
    await drained();
    clearTimeout(grace);
  }

  /** Number of mailboxes that can be found, that are being opened, and that are leaving. */
  get size(): number {
    return this.#slots.taken;
  }

  sizes(): MailboxSizes {
    return sizesOf(this.#mailboxes.values(), this.#leaving, this.#budget);
  }

  /** All mailboxes, including leaving ones. */
  *statuses(): Generator<MailboxStatus> {
    for (const mailbox of this.#mailboxes.values()) yield mailbox.snapshot();
    for (const mailbox of this.#leaving) yield { ...mailbox.snapshot(), state: 'LEAVING' };
  }

  /** All mailboxes, including leaving ones, at this moment. */
  inspected(): InspectedMailbox[] {
    const all: InspectedMailbox[] = [];
    for (const mailbox of this.#mailboxes.values()) all.push({ mailbox, isLeaving: false });
    for (const mailbox of this.#leaving) all.push({ mailbox, isLeaving: true });
    return all;
  }

  totals(): MailboxTotals {
    const totals = new TotalsSum();
    totals.add(this.#discarded);
    for (const mailbox of this.#mailboxes.values()) totals.add(mailbox);
    for (const mailbox of this.#leaving) totals.add(mailbox);
    return totals;
  }

  /** Opens a session, and takes a slot for its mailbox. */
  async #open(options: ConnectOptions, signal: AbortSignal | undefined, client: string): Promise<Opening> {
    let hasSlot = false;
    const takeSlot = () => {
      this.#mustHaveRoom(client);
      this.#slots.take(client);
      hasSlot = true;
    };
    const isFull = () => this.#fullBound(client) !== undefined;
    if (isFull() && !this.#isDraining)
      await this.#slotWaiters.wait(isFull, () => this.#leaving.size > 0, signal);
    try {
      return await this.#opener.open(options, signal, takeSlot);
    } catch (error) {
      if (hasSlot) this.#slots.release(client);
      throw error;
    }
  }

  #owned(id: string, caller: string): Mailbox | undefined {
    const mailbox = this.#mailboxes.get(id);
    if (mailbox === undefined || mailbox.owner === caller) return mailbox;
    this.#telemetry.foreignCall(mailbox);
    return undefined;
  }

  #expire(mailbox: Mailbox): void {
    this.#expired.remember(mailbox);
    void mailbox.expire();
    this.#remove(mailbox);
  }

  #remove(mailbox: Mailbox): void {
    if (!this.#mailboxes.delete(mailbox.id)) return;
    this.#leaving.add(mailbox);
    void mailbox.discard().then(() => {
      this.#leaving.delete(mailbox);
      this.#discarded.add(mailbox);
      this.#slots.release(mailbox.client);
      this.#slotWaiters.wake();
    });
  }

  #mustHaveRoom(client: string): void {
    const full = this.#fullBound(client);
    if (full !== undefined) throw full;
    if (this.#budget.free === 0) {
      const bytes = this.#budget.totalBytes;
      const message = `the event queues of all mailboxes together have reached their limit of ${bytes} bytes`;
      throw new MailboxError('TOTAL_QUEUE_FULL', message, {
        limit: 'mailbox.totalQueueMaxBytes',
        bound: `${bytes} bytes`,
      });
    }
  }

  /**
   * The limit that leaves no slot for another mailbox of this client. Undefined when there is a slot. Removes an
   * ended mailbox whose receiver got everything: its slot is free as soon as it has left.
   */
  #fullBound(client: string): MailboxError | undefined {
    const { maxMailboxes, maxMailboxesPerClient = maxMailboxes } = this.#settings;
    if (this.#slots.taken >= maxMailboxes) {
      this.#removeFinished();
      return tooManyMailboxes('the sidecar', 'mailbox.maxMailboxes', maxMailboxes);
    }
    if (this.#slots.takenBy(client) >= maxMailboxesPerClient) {
      this.#removeFinished(client);
      return tooManyMailboxes('this client', 'limits.maxMailboxesPerClient', maxMailboxesPerClient);
    }
    return undefined;
  }

  #removeFinished(client?: string): void {
    for (const mailbox of this.#mailboxes.values()) {
      if (!mailbox.isFinished || (client !== undefined && mailbox.client !== client)) continue;
      this.#remove(mailbox);
      return;
    }
  }
}

function draining(): MailboxError {
  return new MailboxError('DRAINING', 'the sidecar is shutting down');
}

function tooManyMailboxes(who: string, limit: string, bound: number): MailboxError {
  const message = `${who} has reached its limit of ${bound} mailboxes; leaving mailboxes count too`;
  return new MailboxError('TOO_MANY_MAILBOXES', message, { limit, bound: String(bound) });
}
