import { type ChannelOptions, status } from '@grpc/grpc-js';
import { Acknowledgement, type Authentication, NameConflictPolicy } from 'spread-sidecar-proto';
import { Backoff } from './backoff.js';
import { abortError, type CallLimits, checkTimeout, timeoutError } from './call.js';
import { DEFAULT_SIDECAR_PORT } from './constants.js';
import { toDuration } from './duration.js';
import { completeOptions, TARGET_VARIABLE } from './environment.js';
import { fromQueueOptions, type QueueOptions, toMailboxLimits } from './limits.js';
import { fetchInfo, Mailbox } from './mailbox.js';
import { MailboxServiceClient } from './mailbox-client.js';
import {
  type AcknowledgementMode,
  type MailboxInfo,
  toAcknowledgementMode,
  toMailboxInfo,
  toTriple,
  type VersionTriple,
} from './mailbox-info.js';
import type { MailboxInit } from './mailbox-types.js';
import type { ReceiveOptions } from './receive-options.js';
import { fromReconnect, type ReconnectOptions } from './reconnect.js';
import { ignoreSpreadError } from './rich-status.js';
import { Rpc } from './rpc.js';
import { incompleteAnswer, type SpreadError } from './spread-error.js';
import { isOnThisMachine, parseTarget, targetInMessages, toGrpcTarget } from './target.js';
import { type ChannelSecurity, channelSecurity, type SecurityOptions } from './transport-security.js';

/** The target when none is given. */
export const DEFAULT_TARGET = `127.0.0.1:${DEFAULT_SIDECAR_PORT}`;

/**
 * What may be on its way to one Receive stream, and to the connection (HTTP/2's window). With HTTP/2's default of 64 KiB a
 * sidecar that sends faster than that in a round trip waits for the rest of it. The sidecar keeps several times as
 * much for a stream that breaks (`mailbox.replayWindow`).
 */
const RECEIVE_WINDOW_BYTES = 1024 * 1024;

/** How to reach a sidecar. */
export interface SidecarOptions extends SecurityOptions {
  /**
   * `host:port`, `unix:/path`, or another form of clients/README.md. Default, also for an empty text: the environment
   * variable SPREAD_SIDECAR_TARGET, else `127.0.0.1:4813`. Without a target of the program's own, the variables of
   * docs/client-environment.md are the defaults of `tls`, `token` and `insecure`.
   */
  target?: string;
  /** For calls that name no timeout of their own. Unit: ms; more than 0. Default: 30,000. */
  callTimeoutMs?: number;
  /**
   * A connection that carries calls and is silent for so long is asked for a sign of life; if none comes within
   * half of it, the connection is made anew. One whose other end vanished would else be used until the lease of
   * its mailboxes is over. Unit: ms; more than 0. Default: 10,000.
   */
  connectionKeepAliveMs?: number;
  /** Headers that are sent with every call. */
  headers?: Readonly<Record<string, string>>;
  /** Further options of the gRPC channel. */
  channelOptions?: ChannelOptions;
}

/** How to open a mailbox. Everything is optional. */
export interface MailboxOptions extends ReceiveOptions {
  /** The daemon: `4803`, `4803@host`, or the path of a Unix socket. Default: the sidecar's. */
  spreadName?: string;
  /** The private name: at most 10 characters of `$` to `~`. Default: the daemon makes one. */
  privateName?: string;
  /** What to do when the name is in use: fail, or try variants of it with a number. Default: FAIL. */
  onNameConflict?: 'FAIL' | 'SUFFIX';
  /** 0 or 1; it has no effect in Spread 5. Default: 0. */
  priority?: number;
  /** Whether membership messages are received. Default: true. */
  membership?: boolean;
  /** How the sidecar shows itself to the daemon: NULL, or IP, its own IPv4 address. Default: the sidecar's, NULL. */
  auth?: 'NULL' | 'IP';
  /** How long the mailbox lives while nothing uses it. Unit: ms. Default: the sidecar's, 30 s. */
  leaseMs?: number;
  /**
   * End the mailbox 500 ms after this side has closed its connection, as when the process ends or is killed, and not
   * after the lease. Default: false.
   */
  endWithConnection?: boolean;
  /**
   * Reconnect after a lost daemon connection, and report it by the events ConnectionLost and ConnectionRestored; `true`: as
   * the sidecar does by default. Default: false, the mailbox ends with its connection.
   */
  reconnect?: boolean | ReconnectOptions;
  /** Bounds of the event queue in the sidecar. Default: the sidecar's. */
  queue?: QueueOptions;
  /** AUTO, the default, or EXPLICIT: an event is kept until it is acknowledged. */
  acknowledgement?: AcknowledgementMode;
}

/** How to take up a mailbox that exists. */
export interface AttachOptions extends ReceiveOptions {
  /** Receive begins with the event after this one. Default: after the last one that the sidecar gave to anybody (AUTO) or that was acknowledged (EXPLICIT). */
  afterSequence?: bigint;
}

/** Versions of a sidecar and of what is behind it. */
export interface SidecarVersion {
  /** The sidecar's release, such as `0.1.0`. */
  sidecar: string;
  /** The contract's package, `spread.sidecar.v1`. */
  contract: string;
  /** What SP_version returns: the release of Spread whose protocol the sidecar speaks. */
  clientProtocol: VersionTriple;
  /** The default daemon's release; not set while the sidecar has no connection to it. */
  daemon: VersionTriple | undefined;
  /** The default daemon, as a spread name; empty while there is no connection to it. */
  daemonAddress: string;
  /** Whether that is the embedded daemon, which is meant for development and tests. */
  embeddedDaemon: boolean;
}

/** Options of `waitForReady`. */
export interface ReadyOptions extends CallLimits {
  /** Wait until the sidecar is connected to its default daemon too. Default: false. */
  daemon?: boolean;
}

/** One channel to a sidecar; opens mailboxes. It connects by itself when it is used. */
export class SpreadSidecar {
  /** Where it connects to. */
  readonly target: string;
  readonly #client: MailboxServiceClient;
  readonly #rpc: Rpc;
  readonly #security: ChannelSecurity;
  readonly #mailboxes = new Set<Mailbox>();
  #closing: Promise<void> | undefined;

  constructor(given: SidecarOptions = {}) {
    const options = completeOptions(given, process.env);
    const { connectionKeepAliveMs = 10_000 } = options;
    checkTimeout(options.callTimeoutMs, 'callTimeoutMs');
    checkTimeout(connectionKeepAliveMs, 'connectionKeepAliveMs');
    this.target = options.target || DEFAULT_TARGET;
    const target = parseTarget(this.target, !given.target && options.target ? TARGET_VARIABLE : 'target');
    const headers = options.headers ?? {};
    this.#security = channelSecurity(this.target, isOnThisMachine(target), options);
    if (Object.keys(headers).some((name) => name.toLowerCase() === 'authorization'))
      this.#security.checkTokenAllowed('headers.authorization');
    this.#client = new MailboxServiceClient(toGrpcTarget(target), this.#security.credentials, {
      'grpc.enable_channelz': 0,
      // A sidecar is near: the proxy of http_proxy is not for it.
      'grpc.enable_http_proxy': 0,
      // Its own connection, which close() closes.
      'grpc.use_local_subchannel_pool': 1,
      'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
      'grpc.keepalive_time_ms': connectionKeepAliveMs,
      'grpc.keepalive_timeout_ms': Math.ceil(connectionKeepAliveMs / 2),
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      ...this.#security.channelOptions,
      ...options.channelOptions,
      interceptors: this.#security.interceptors,
    });
    const callTimeoutMs = options.callTimeoutMs ?? 30_000;
    const endpoint = { name: targetInMessages(this.target, target), target, hasTls: this.#security.hasTls };
    this.#rpc = new Rpc(this.#client, endpoint, callTimeoutMs, headers, this.#security.tokenMayChange);
  }

  /**
   * Opens a mailbox (SP_connect).
   *
   * @throws {@link SpreadError}, such as REJECT_NOT_UNIQUE or COULD_NOT_CONNECT; then none was opened
   */
  async connect(options: MailboxOptions & CallLimits = {}): Promise<Mailbox> {
    return this.connectOwned(options, () => {});
  }

  /** @internal */
  async connectOwned(options: MailboxOptions & CallLimits, onClosed: () => void): Promise<Mailbox> {
    const request = {
      daemon: options.spreadName ?? '',
      privateName: options.privateName ?? '',
      onNameConflict: NameConflictPolicy[options.onNameConflict ?? 'UNSPECIFIED'],
      priority: options.priority ?? 0,
      membership: options.membership,
      auth: toAuthentication(options.auth),
      lease: toDuration(options.leaseMs, 'leaseMs'),
      endWithConnection: options.endWithConnection ?? false,
      reconnect: fromReconnect(options.reconnect),
      queue: fromQueueOptions(options.queue),
      acknowledgement: Acknowledgement[options.acknowledgement ?? 'UNSPECIFIED'],
    };
    const answer = await this.#rpc.call(this.#client.connect, request, options);
    const init: MailboxInit = {
      id: answer.mailboxId,
      privateGroup: answer.privateGroup,
      daemon: answer.daemon,
      daemonVersion: toTriple(answer.daemonVersion),
      limits: toMailboxLimits(answer.limits),
      acknowledgement: toAcknowledgementMode(answer.acknowledgement),
      afterSequence: 0n,
    };
    return this.#keep(init, options, onClosed);
  }

  /**
   * Takes up a mailbox that was opened before, by this process or another; see `Mailbox.detach`. Whoever
   * receives from it at that time is replaced when this one begins to receive.
   *
   * @param mailboxId - `Mailbox.id`
   */
  async attach(mailboxId: string, options: AttachOptions & CallLimits = {}): Promise<Mailbox> {
    const info = await fetchInfo(this.#rpc, mailboxId, options);
    const given = info.acknowledgement === 'EXPLICIT' ? info.acknowledgedSequence : info.deliveredSequence;
    const { privateGroup, daemon, daemonVersion, limits, acknowledgement } = info;
    const afterSequence = options.afterSequence ?? given;
    const init = {
      id: mailboxId,
      privateGroup,
      daemon,
      daemonVersion,
      limits,
      acknowledgement,
      afterSequence,
    };
    return this.#keep(init, options, () => {});
  }

  /** Versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version). */
  async version(limits: CallLimits = {}): Promise<SidecarVersion> {
    const answer = await this.#rpc.call(this.#client.getVersion, {}, limits);
    return {
      sidecar: answer.sidecar,
      contract: answer.contract,
      clientProtocol: toTriple(answer.clientProtocol),
      daemon: answer.daemon && toTriple(answer.daemon),
      daemonAddress: answer.daemonAddress,
      embeddedDaemon: answer.embeddedDaemon,
    };
  }

  /**
   * State and counters of all mailboxes of the sidecar, page by page.
   *
   * @param adminToken - the sidecar's admin token; refused where others could read it, as `token` is
   */
  async *listMailboxes(
    adminToken: string,
    limits: CallLimits = {},
  ): AsyncGenerator<MailboxInfo, void, undefined> {
    this.#security.checkTokenAllowed('adminToken');
    const headers = { authorization: `Bearer ${adminToken}` };
    let pageToken = '';
    do {
      const request = { pageSize: 0, pageToken };
      const page = await this.#rpc.call(this.#client.listMailboxes, request, limits, { headers });
      yield* page.mailboxes.map(toMailboxInfo);
      // Else a sidecar that always names the same page would never let go of us.
      if (pageToken !== '' && page.nextPageToken === pageToken)
        throw incompleteAnswer('ListMailboxes', 'a further page');
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /**
   * Resolves when the sidecar answers, trying again until then.
   *
   * @param options.timeoutMs - default: 30,000
   * @throws {@link SpreadError} with status DEADLINE_EXCEEDED and the last failure as its cause; at once for a
   * failure that waiting does not heal
   */
  async waitForReady(options: ReadyOptions = {}): Promise<void> {
    const { signal, timeoutMs = 30_000, daemon = false } = options;
    checkTimeout(timeoutMs);
    const deadline = performance.now() + timeoutMs;
    const backoff = new Backoff(50, 500);
    let last = 'it did not answer';
    for (;;) {
      const remaining = deadline - performance.now();
      if (remaining <= 0) throw timeoutError(`${this.target} was not ready within ${timeoutMs} ms: ${last}`);
      try {
        const version = await this.version({ signal, timeoutMs: remaining });
        if (!daemon || version.daemon) return;
        last = 'the sidecar is not connected to its daemon';
      } catch (error) {
        const { status: code, message } = error as SpreadError;
        if (code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED) throw error;
        last = message;
      }
      await pause(Math.min(backoff.next(), Math.max(deadline - performance.now(), 0)), signal);
    }
  }

  /**
   * Disconnects the mailboxes that were opened or attached through this channel, and closes it.
   *
   * @param options.keepMailboxes - let go of them without ending them; they live on for their lease
   * @throws {@link SpreadError} of the first mailbox that could not be disconnected; the channel is closed all the same
   */
  close(options: { keepMailboxes?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(options.keepMailboxes ?? false);
    return this.#closing;
  }

  /** As {@link close}, without its errors: they would hide the error of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(ignoreSpreadError);
  }

  async #close(keepMailboxes: boolean): Promise<void> {
    const mailboxes = [...this.#mailboxes];
    if (keepMailboxes) for (const mailbox of mailboxes) mailbox.detach();
    const ends = await Promise.allSettled(
      keepMailboxes ? [] : mailboxes.map((mailbox) => mailbox.disconnect()),
    );
    this.#rpc.close();
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  #keep(init: MailboxInit, options: ReceiveOptions, onClosed: () => void): Mailbox {
    const mailbox: Mailbox = new Mailbox(this.#rpc, init, options, () => {
      this.#mailboxes.delete(mailbox);
      onClosed();
    });
    this.#mailboxes.add(mailbox);
    return mailbox;
  }
}

function toAuthentication(method: MailboxOptions['auth']): Authentication | undefined {
  if (method === undefined) return undefined;
  return { method: { $case: method === 'IP' ? 'ipMethod' : 'nullMethod', value: {} } };
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortError(signal as AbortSignal, 'aborted while waiting for the sidecar'));
    };
    if (signal?.aborted) return reject(abortError(signal, 'aborted while waiting for the sidecar'));
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
