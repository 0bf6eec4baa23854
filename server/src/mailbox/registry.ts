import { randomBytes } from 'node:crypto';
import { IP_AUTH, NULL_AUTH } from '../spread/auth.js';
import { Session } from '../spread/session.js';
import { SpreadError } from '../spread/spread-error.js';
import { parsePrivateGroup } from '../spread/wire/index.js';
import { ByteBudget } from './byte-budget.js';
import {
  type ConnectOptions,
  checkConnectOptions,
  effectiveLimits,
  giveUpAfterMs,
} from './connect-options.js';
import { DaemonDirectory } from './daemon-directory.js';
import type { EncodeEvent } from './event.js';
import { Mailbox } from './mailbox.js';
import { deadlineExceeded } from './mailbox-end.js';
import type { ConnectSession } from './mailbox-session.js';
import type { DisconnectOptions, MailboxLimits, MailboxSnapshot } from './mailbox-types.js';
import { type OpenedSession, openSession } from './open-session.js';
import type { ReconnectOptions } from './reconnect-options.js';
import type { ReconnectorOptions } from './reconnector.js';
import type { CallOptions } from './requests.js';
import type { MailboxSettings } from './settings.js';
import { SidecarError } from './sidecar-error.js';
import { type MailboxTelemetry, SILENT } from './telemetry.js';
import { EventCounts, type MailboxSizes, type MailboxTotals, ServiceCounts } from './totals.js';

export interface RegistryOptions {
  readonly settings: MailboxSettings;
  readonly encode: EncodeEvent;
  readonly telemetry?: MailboxTelemetry;
  /** Session.connect by default. */
  readonly connectSession?: ConnectSession;
}

export interface ConnectCall extends CallOptions {
  /** Who opens the mailbox: nobody else may use it. Default '', for who has no callers to tell apart. */
  readonly caller?: string;
}

export interface ListOptions {
  /** 1 to 1000; 0 = 100. */
  readonly pageSize: number;
  /** nextPageToken of the page before; empty for the first. */
  readonly pageToken: string;
}

export interface MailboxPage {
  readonly mailboxes: readonly MailboxSnapshot[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;
/** Expired ids that are remembered, so that who comes back too late learns why. */
const REMEMBERED_LEASES = 1000;
/** Above what fills the kernel's buffers a session takes no more: the rest waits where it can be withdrawn. */
const SESSION_SEND_BYTES = 256 * 1024;

/** All mailboxes of the sidecar: the only place that opens them, finds them and lets them go. */
export class MailboxRegistry {
  readonly #settings: MailboxSettings;
  readonly #encode: EncodeEvent;
  readonly #telemetry: MailboxTelemetry;
  readonly #connectSession: ConnectSession;
  readonly #directory: DaemonDirectory;
  readonly #budget: ByteBudget;
  /** By id, in the order in which they were opened. */
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Ids whose lease ended; the oldest are forgotten. */
  readonly #expired = new Map<string, { readonly owner: string; readonly lastSequence: number }>();
  /** Those that can't be found any more, but whose receiver or connection is not through yet. */
  readonly #departing = new Map<Mailbox, Promise<void>>();
  readonly #attempts = new Set<AbortController>();
  #draining = false;
  readonly #gone = {
    received: new EventCounts(),
    eventBytes: 0,
    eventsGiven: 0,
    messagesSent: 0,
    sentByService: new ServiceCounts(),
    payloadBytesSent: 0,
  };
  #opened = 0;

  /** @throws SpreadError ILLEGAL_SPREAD when the settings name a daemon that is not well formed */
  constructor(options: RegistryOptions) {
    this.#settings = options.settings;
    this.#encode = options.encode;
    this.#telemetry = options.telemetry ?? SILENT;
    this.#connectSession = options.connectSession ?? ((session) => Session.connect(session));
    this.#directory = new DaemonDirectory(options.settings.daemons, options.settings.allowedDaemons);
    this.#budget = new ByteBudget(options.settings.totalQueueBytes);
  }

  /**
   * Opens a mailbox. A failure opens none.
   *
   * Rejects with SidecarError DRAINING, LIMIT_OUT_OF_RANGE, DAEMON_NOT_ALLOWED,
   * TOO_MANY_MAILBOXES, TOTAL_QUEUE_FULL, DEADLINE_EXCEEDED; SpreadError as Session.connect, above all ILLEGAL_SPREAD,
   * COULD_NOT_CONNECT and the daemon's REJECT codes.
   */
  async connect(options: ConnectOptions, { signal, caller = '' }: ConnectCall = {}): Promise<Mailbox> {
    this.#mustNotBeDraining();
    checkConnectOptions(options);
    const limits = effectiveLimits(options, this.#settings);
    const candidates = this.#directory.candidates(options.daemon);
    const plan: Plan = { candidates, session: this.#sessionOptions(options, limits) };
    const reconnect = options.reconnect && this.#reconnectorOptions(options, options.reconnect, plan);
    if (signal?.aborted) throw deadlineExceeded('not-sent');
    const { session, daemon } = await this.#open(options, plan, signal);
    const mailbox = new Mailbox({
      session,
      id: randomBytes(16).toString('hex'),
      displayId: `m${++this.#opened}`,
      owner: caller,
      daemon,
      membership: options.membership,
      acknowledgement: options.acknowledgement,
      limits,
      noticeMark: this.#settings.noticeMark,
      goodbyeMs: this.#settings.goodbyeMs,
      encode: this.#encode,
      budget: this.#budget,
      telemetry: this.#telemetry,
      reconnect: reconnect && { ...reconnect, givenName: givenName(options, session.privateGroup) },
      onLeaseEnd: (ended) => this.#expire(ended),
    });
    this.#mailboxes.set(mailbox.id, mailbox);
    this.#telemetry.opened(mailbox);
    return mailbox;
  }

  /**
   * Finds a mailbox for a call, which renews its lease. Who did not open it is answered as if it were not there: its id
   * says nothing to anybody else.
   *
   * @throws SpreadError ILLEGAL_SESSION; SidecarError LEASE_EXPIRED when that is known to be the reason
   */
  get(id: string, caller = ''): Mailbox {
    const mailbox = this.#owned(id, caller);
    if (mailbox !== undefined) {
      mailbox.touch();
      return mailbox;
    }
    const expired = this.#expired.get(id);
    if (expired === undefined || expired.owner !== caller)
      throw new SpreadError('ILLEGAL_SESSION', 'there is no such mailbox, or no longer');
    throw new SidecarError(
      'LEASE_EXPIRED',
      'the mailbox has ended: no Receive was attached and no call came within its lease',
      { last_sequence: String(expired.lastSequence) },
    );
  }

  /**
   * Mailboxes in the order in which they were opened.
   *
   * @throws SidecarError LIMIT_OUT_OF_RANGE (page_size), FIELD_INVALID (page_token)
   */
  list({ pageSize, pageToken }: ListOptions): MailboxPage {
    if (!Number.isInteger(pageSize) || pageSize < 0 || pageSize > MAX_PAGE_SIZE) {
      const bound = `1 to ${MAX_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}`;
      const message = `page_size is ${pageSize}; it must be ${bound}`;
      throw new SidecarError('LIMIT_OUT_OF_RANGE', message, { field: 'page_size', bound });
    }
    if (!/^(m\d{1,15})?$/.test(pageToken)) {
      const bound = 'next_page_token of an earlier answer, or empty';
      throw new SidecarError('FIELD_INVALID', `page_token must be ${bound}`, { field: 'page_token', bound });
    }
    const after = Number(pageToken.slice(1));
    const size = pageSize || DEFAULT_PAGE_SIZE;
    const mailboxes: MailboxSnapshot[] = [];
    for (const mailbox of this.#mailboxes.values()) {
      if (Number(mailbox.displayId.slice(1)) <= after) continue;
      if (mailboxes.length === size) return { mailboxes, nextPageToken: mailboxes[size - 1]!.displayId };
      mailboxes.push(mailbox.snapshot());
    }
    return { mailboxes, nextPageToken: '' };
  }

  /**
   * Ends a mailbox. Resolves, when its connection is closed, to whether this call ended it: false when there was none, or
   * none of the caller's that had not ended already. From the call on the id finds nothing.
   *
   * Rejects with SidecarError FIELD_INVALID when both options are set.
   */
  async disconnect(id: string, options: DisconnectOptions = {}, caller = ''): Promise<boolean> {
    if (options.leaveGroupsFirst && options.abort) {
      throw new SidecarError('FIELD_INVALID', 'leave_groups_first must be false together with abort', {
        field: 'leave_groups_first',
        bound: 'false with abort',
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
   * Shuts down: no mailbox is opened any more; receivers are given what is queued for up to graceMs and then told
   * DRAINING; every daemon is told goodbye. Resolves when that is done. Never rejects.
   */
  async drain({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.#draining = true;
    for (const attempt of this.#attempts) attempt.abort();
    const mailboxes = [...this.#mailboxes.values(), ...this.#departing.keys()];
    const grace = setTimeout(() => {
      for (const mailbox of mailboxes) mailbox.cutReceiver();
    }, graceMs);
    await Promise.all(mailboxes.map((mailbox) => mailbox.drain()));
    clearTimeout(grace);
    for (const mailbox of mailboxes) this.#remove(mailbox);
    await Promise.all(this.#departing.values());
  }

  /** Mailboxes that can be found, and those that are being opened. */
  get size(): number {
    return this.#mailboxes.size + this.#attempts.size;
  }

  sizes(): MailboxSizes {
    const sizes = {
      open: 0,
      ended: 0,
      receivers: 0,
      paused: 0,
      waitingEvents: 0,
      waitingBytes: 0,
      retainedBytes: this.#budget.used,
      retainedBytesBound: this.#budget.totalBytes,
      sendQueueBytes: 0,
    };
    for (const mailbox of this.#mailboxes.values()) {
      const { state, waitingEvents, waitingBytes } = mailbox.poll();
      if (state === 'ENDED') sizes.ended++;
      else sizes.open++;
      if (mailbox.receiverAttached) sizes.receivers++;
      if (mailbox.paused) sizes.paused++;
      sizes.waitingEvents += waitingEvents;
      sizes.waitingBytes += waitingBytes;
      sizes.sendQueueBytes += mailbox.sendQueueBytes;
    }
    return sizes;
  }

  totals(): MailboxTotals {
    const totals = { ...this.#gone, received: new EventCounts(), sentByService: new ServiceCounts() };
    totals.received.addAll(this.#gone.received);
    totals.sentByService.addAll(this.#gone.sentByService);
    for (const mailbox of this.#mailboxes.values()) addTotals(totals, mailbox);
    for (const mailbox of this.#departing.keys()) addTotals(totals, mailbox);
    return totals;
  }

  /** Finds a daemon that takes the session. Gives up when the caller does, or when the sidecar shuts down. */
  async #open(options: ConnectOptions, plan: Plan, signal: AbortSignal | undefined): Promise<OpenedSession> {
    this.#mustHaveRoom();
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort();
    this.#attempts.add(attempt);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      const opened = await openSession({
        candidates: plan.candidates,
        privateName: options.privateName,
        onNameConflict: options.onNameConflict,
        session: {
          ...plan.session,
          timeoutMs: this.#settings.connectTimeoutMs,
          signal: attempt.signal,
        },
        connect: this.#connectSession,
        onFailed: (daemon, error) => this.#telemetry.connectFailed(daemon, error),
      });
      if (attempt.signal.aborted) {
        await opened.session.disconnect(this.#settings.goodbyeMs);
        throw deadlineExceeded('not-sent');
      }
      return opened;
    } catch (error) {
      this.#mustNotBeDraining();
      throw signal?.aborted ? deadlineExceeded('not-sent') : error;
    } finally {
      this.#attempts.delete(attempt);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #owned(id: string, caller: string): Mailbox | undefined {
    const mailbox = this.#mailboxes.get(id);
    if (mailbox === undefined || mailbox.owner === caller) return mailbox;
    this.#telemetry.foreignCall(mailbox);
    return undefined;
  }

  #sessionOptions(options: ConnectOptions, limits: MailboxLimits): Plan['session'] {
    return {
      membership: options.membership,
      priority: options.priority === 1 ? 1 : 0,
      auth: [(options.auth ?? this.#settings.auth) === 'IP' ? IP_AUTH : NULL_AUTH],
      messageLimits: { maxGroups: limits.maxGroupsPerMessage, maxBody: limits.maxMessageBytes },
      sendHighWaterMark: Math.min(SESSION_SEND_BYTES, Math.ceil(limits.maxSendQueueBytes / 2)),
    };
  }

  #reconnectorOptions({ privateName }: ConnectOptions, asked: ReconnectOptions, plan: Plan) {
    const { reconnect, connectTimeoutMs, goodbyeMs } = this.#settings;
    const { onNameLoss, queueMulticasts } = asked;
    return {
      ...plan,
      privateName,
      onNameLoss,
      queueMulticasts,
      giveUpAfterMs: giveUpAfterMs(asked, this.#settings),
      nameWaitMs: reconnect.nameWaitMs,
      backoff: reconnect.backoff,
      connectTimeoutMs,
      goodbyeMs,
      connect: this.#connectSession,
    };
  }

  #expire(mailbox: Mailbox): void {
    this.#expired.set(mailbox.id, { owner: mailbox.owner, lastSequence: mailbox.lastSequence });
    if (this.#expired.size > REMEMBERED_LEASES) {
      for (const [oldest] of this.#expired) {
        this.#expired.delete(oldest);
        break;
      }
    }
    void mailbox.expire();
    this.#remove(mailbox);
  }

  #remove(mailbox: Mailbox): void {
    if (!this.#mailboxes.delete(mailbox.id)) return;
    const gone = mailbox.discard().then(() => {
      this.#departing.delete(mailbox);
      addTotals(this.#gone, mailbox);
    });
    this.#departing.set(mailbox, gone);
  }

  #mustNotBeDraining(): void {
    if (this.#draining) throw new SidecarError('DRAINING', 'the sidecar is shutting down');
  }

  #mustHaveRoom(): void {
    const bound = this.#settings.maxMailboxes;
    if (this.size >= bound && !this.#removeSpent()) {
      const message = `the sidecar has ${bound} mailboxes, which is as many as it may have`;
      throw new SidecarError('TOO_MANY_MAILBOXES', message, { bound: String(bound) });
    }
    if (this.#budget.free === 0) {
      const bytes = this.#budget.totalBytes;
      const message = `the event queues of all mailboxes together have reached their bound of ${bytes} bytes`;
      throw new SidecarError('TOTAL_QUEUE_FULL', message, { bound: `${bytes} bytes` });
    }
  }

  /** Makes room at the cost of an ended mailbox whose receiver has been told everything. */
  #removeSpent(): boolean {
    for (const mailbox of this.#mailboxes.values()) {
      if (!mailbox.isSpent) continue;
      this.#remove(mailbox);
      return true;
    }
    return false;
  }
}

/** What every session of one mailbox has in common. */
type Plan = Pick<ReconnectorOptions, 'candidates' | 'session'>;

/** The private name that a client asked for, as the daemon gave it; empty when it asked for none. */
function givenName({ privateName }: ConnectOptions, privateGroup: string): string {
  return privateName === '' ? '' : (parsePrivateGroup(privateGroup)?.name ?? privateName);
}

type Totals = {
  -readonly [Key in keyof MailboxTotals]: MailboxTotals[Key] extends number ? number : unknown;
} & { readonly received: EventCounts; readonly sentByService: ServiceCounts };

function addTotals(totals: Totals, mailbox: Mailbox): void {
  totals.received.addAll(mailbox.received);
  totals.eventBytes += mailbox.eventBytes;
  totals.eventsGiven += mailbox.eventsGiven;
  totals.messagesSent += mailbox.messagesSent;
  totals.sentByService.addAll(mailbox.sentByService);
  totals.payloadBytesSent += mailbox.payloadBytesSent;
}
