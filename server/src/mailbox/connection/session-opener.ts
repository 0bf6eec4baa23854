import { IP_AUTH, NULL_AUTH } from '../../spread/auth.js';
import { parsePrivateGroup } from '../../spread/wire/index.js';
import { deadlineExceeded } from '../end-errors.js';
import type { MailboxLimits } from '../mailbox-types.js';
import type { MailboxSettings } from '../settings.js';
import { MailboxError } from '../sidecar-error.js';
import type { MailboxTelemetry } from '../telemetry.js';
import {
  type ConnectOptions,
  checkConnectOptions,
  effectiveLimits,
  giveUpAfterMs,
} from './connect-options.js';
import type { ReconnectPlan } from './daemon-connection.js';
import { DaemonDirectory } from './daemon-directory.js';
import { type OpenedSession, openSession } from './daemon-failover.js';
import type { ConnectSession } from './mailbox-session.js';
import type { ReconnectOptions } from './reconnect-options.js';
import type { ReconnectorOptions } from './reconnector.js';

/** With this many bytes queued, the session accepts no more: further messages wait where they can be cancelled. */
const SESSION_SEND_BYTES = 256 * 1024;

/** The initial properties of a new mailbox. */
export interface Opening extends OpenedSession {
  readonly limits: MailboxLimits;
  /** How the connection is replaced. Undefined: the mailbox ends with it. */
  readonly reconnect: ReconnectPlan | undefined;
}

/** The options that all sessions of one mailbox share. */
type Plan = Pick<ReconnectorOptions, 'candidates' | 'session'>;

/** Opens the first session of a mailbox, as the sidecar's settings allow. */
export class SessionOpener {
  readonly #settings: MailboxSettings;
  readonly #connectSession: ConnectSession;
  readonly #telemetry: MailboxTelemetry;
  readonly #directory: DaemonDirectory;
  readonly #attempts = new Set<AbortController>();
  #closed = false;

  /** @throws SpreadError ILLEGAL_SPREAD when the settings name a daemon that is malformed */
  constructor(settings: MailboxSettings, connectSession: ConnectSession, telemetry: MailboxTelemetry) {
    this.#settings = settings;
    this.#connectSession = connectSession;
    this.#telemetry = telemetry;
    this.#directory = new DaemonDirectory(settings.daemons, settings.allowedDaemons);
  }

  /** Opens no more sessions, and cancels active attempts. */
  close(): void {
    this.#closed = true;
    for (const attempt of this.#attempts) attempt.abort();
  }

  /**
   * Opens a session, which is not started yet.
   *
   * @param takeSlot called when all checks have passed; may throw
   */
  async open(asked: ConnectOptions, signal: AbortSignal | undefined, takeSlot: () => void): Promise<Opening> {
    this.#mustBeOpen();
    const options = this.#named(asked);
    checkConnectOptions(options);
    const limits = effectiveLimits(options, this.#settings);
    const candidates = this.#directory.candidates(options.daemon);
    const plan: Plan = { candidates, session: this.#sessionOptions(options, limits) };
    const reconnect = options.reconnect && this.#reconnectorOptions(options, options.reconnect, plan);
    if (signal?.aborted) throw deadlineExceeded('not-sent');
    takeSlot();
    const opened = await this.#connect(options, plan, signal);
    const name = givenName(options, opened.session.privateGroup);
    return { ...opened, limits, reconnect: reconnect && { ...reconnect, givenName: name } };
  }

  /**
   * A client without a private name gets one of this sidecar's, if it has any. The client accepts any suffix of
   * it.
   */
  #named(options: ConnectOptions): ConnectOptions {
    const { names } = this.#settings;
    if (options.privateName !== '' || names === undefined) return options;
    const reconnect = options.reconnect && { ...options.reconnect, onNameLoss: 'SUFFIX' as const };
    return { ...options, privateName: names.next(), onNameConflict: 'SUFFIX', reconnect };
  }

  /** Finds a daemon that accepts the session. Stops when the caller cancels, or when the sidecar shuts down. */
  async #connect(
    options: ConnectOptions,
    plan: Plan,
    signal: AbortSignal | undefined,
  ): Promise<OpenedSession> {
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
        await opened.session.disconnect(this.#settings.disconnectTimeoutMs);
        throw deadlineExceeded('not-sent');
      }
      return opened;
    } catch (error) {
      this.#mustBeOpen();
      throw signal?.aborted ? deadlineExceeded('not-sent') : error;
    } finally {
      this.#attempts.delete(attempt);
      signal?.removeEventListener('abort', giveUp);
    }
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
    const { reconnect, connectTimeoutMs, disconnectTimeoutMs } = this.#settings;
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
      disconnectTimeoutMs,
      connect: this.#connectSession,
    };
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new MailboxError('DRAINING', 'the sidecar is shutting down');
  }
}

/** The private name that a client requested, as the daemon assigned it. Empty when the client requested none. */
function givenName({ privateName }: ConnectOptions, privateGroup: string): string {
  return privateName === '' ? '' : (parsePrivateGroup(privateGroup)?.name ?? privateName);
}
