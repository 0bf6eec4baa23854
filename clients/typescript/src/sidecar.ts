import { type ChannelOptions, status } from '@grpc/grpc-js';
import { Acknowledgement, type Authentication, NameConflictPolicy } from 'spread-sidecar-proto';
import { abortError, type CallLimits, checkTimeout, timeoutError } from './call.js';
import { DEFAULT_SIDECAR_PORT } from './constants.js';
import { toDuration } from './duration.js';
import { completeOptions, TARGET_VARIABLE } from './environment.js';
import { fromQueueOptions, type QueueOptions, toMailboxLimits } from './limits.js';
import { fetchInfo, Mailbox } from './mailbox.js';
import { createStub, type MailboxServiceClient } from './mailbox-client.js';
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
import { Backoff, LARGEST_READY_MS } from './rules/backoff.js';
import { mayBecomeReady } from './rules/failures.js';
import { invalidResponse, type SpreadError } from './spread-error.js';
import { isOnThisMachine, parseTarget, targetInMessages, toGrpcTarget } from './target.js';
import { type ChannelSecurity, channelSecurity, type SecurityOptions } from './transport-security.js';

/** The default target. */
export const DEFAULT_TARGET = `127.0.0.1:${DEFAULT_SIDECAR_PORT}`;

/**
 * HTTP/2 window of a Receive stream and of the connection. With HTTP/2's default of 64 KiB, a fast sidecar
 * would wait for each round trip. The sidecar's replay window (`mailbox.replayWindow`) is several times as
 * large, for streams that break.
 */
const RECEIVE_WINDOW_BYTES = 1024 * 1024;

/** How to reach a sidecar. */
export interface SidecarOptions extends SecurityOptions {
  /**
   * `host:port`, `unix:/path`, or another form of clients/README.md. Default, also for an empty string: the
   * environment variable SPREAD_SIDECAR_TARGET, or `127.0.0.1:4813` if the variable is not set. If the
   * program sets no target, the environment variables of docs/client-environment.md are the defaults of
   * `tls`, `token` and `insecure`.
   */
  target?: string;
  /** Timeout of calls without their own timeout. Unit: ms; more than 0. Default: 30,000. */
  callTimeoutMs?: number;
  /**
   * Keepalive interval of a connection with active calls. After this time without data, the client sends a
   * PING. If no response arrives within half of the interval, the client reconnects. Without keepalive, calls
   * on a lost connection could wait until the lease of their mailboxes expires. Unit: ms; more than 0.
   * Default: 10,000.
   */
  connectionKeepAliveMs?: number;
  /**
   * Whether the client has V8 collect the young generation of the process after each 8 MiB of messages. Without
   * this, V8 collects the whole heap many times when messages are large. Default: true.
   */
  collectBuffers?: boolean;
  /** gRPC request headers of every call. */
  headers?: Readonly<Record<string, string>>;
  /** Other options of the gRPC channel. */
  channelOptions?: ChannelOptions;
}

/** How to open a mailbox. All options are optional. */
export interface MailboxOptions extends ReceiveOptions {
  /** The daemon: `4803`, `4803@host`, or the path of a Unix socket. Default: the sidecar's default daemon. */
  spreadName?: string;
  /** The private name: at most 10 characters from `$` to `~`. Default: the daemon generates one. */
  privateName?: string;
  /** What to do if the name is in use: fail, or try variants with a number. Default: FAIL. */
  onNameConflict?: 'FAIL' | 'SUFFIX';
  /** 0 or 1. Has no effect in Spread 5. Default: 0. */
  priority?: number;
  /** Whether to receive membership messages. Default: true. */
  membership?: boolean;
  /**
   * How the sidecar authenticates to the daemon: NULL (no credential), or IP (the daemon checks the sidecar's
   * IPv4 address). Default: the sidecar's default, NULL.
   */
  auth?: 'NULL' | 'IP';
  /**
   * The lease: the time that the mailbox lives without a receiver and without calls. Unit: ms. Default: the
   * sidecar's default, 30 s.
   */
  leaseMs?: number;
  /**
   * Whether the mailbox ends 500 ms after the client's connection closes, for example when the process is
   * killed. If not, the mailbox ends after the lease. Default: false.
   */
  endWithConnection?: boolean;
  /**
   * Whether the sidecar reconnects after the daemon connection is lost. The mailbox then receives the events
   * ConnectionLost and ConnectionRestored. `true` selects the sidecar's defaults. Default: false, which ends
   * the mailbox when its connection is lost.
   */
  reconnect?: boolean | ReconnectOptions;
  /** Limits of the delivery queue in the sidecar. Default: the limits of the sidecar's configuration. */
  queue?: QueueOptions;
  /**
   * When the sidecar may release an event. AUTO: after delivery to the transport. EXPLICIT: after the client
   * acknowledges the event. Default: AUTO.
   */
  acknowledgement?: AcknowledgementMode;
}

/** How to attach to an existing mailbox. */
export interface AttachOptions extends ReceiveOptions {
  /**
   * Receive starts after this sequence. Default: after the last delivered event (AUTO) or the last
   * acknowledged event (EXPLICIT).
   */
  afterSequence?: bigint;
}

/** Versions of a sidecar and its daemon. */
export interface SidecarVersion {
  /** The sidecar's release, such as `0.1.0`. */
  sidecar: string;
  /** The package of the contract, `spread.sidecar.v1`. */
  contract: string;
  /** The version that SP_version returns: the release of Spread whose client protocol the sidecar uses. */
  clientProtocol: VersionTriple;
  /** The release of the default daemon. Undefined while the sidecar is not connected to it. */
  daemon: VersionTriple | undefined;
  /** The Spread name of the default daemon. Empty while the sidecar is not connected to it. */
  daemonAddress: string;
  /** Whether the default daemon is the embedded daemon, for development and tests. */
  embeddedDaemon: boolean;
}

/** Options of `waitForReady`. */
export interface ReadyOptions extends CallLimits {
  /** Whether to also wait until the sidecar is connected to its default daemon. Default: false. */
  daemon?: boolean;
}

/** A channel to a sidecar, which opens mailboxes. It connects at the first call. */
export class SpreadSidecar {
  /** The target of the channel. */
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
    const channelOptions = {
      'grpc.enable_channelz': 0,
      // A sidecar is local or near: do not use the proxy of http_proxy.
      'grpc.enable_http_proxy': 0,
      // A separate connection, which close() closes.
      'grpc.use_local_subchannel_pool': 1,
      'grpc-node.flow_control_window': RECEIVE_WINDOW_BYTES,
      'grpc.keepalive_time_ms': connectionKeepAliveMs,
      'grpc.keepalive_timeout_ms': Math.ceil(connectionKeepAliveMs / 2),
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      ...this.#security.channelOptions,
      ...options.channelOptions,
      interceptors: this.#security.interceptors,
    };
    const { credentials } = this.#security;
    const collects = options.collectBuffers ?? true;
    this.#client = createStub(toGrpcTarget(target), credentials, channelOptions, collects);
    const callTimeoutMs = options.callTimeoutMs ?? 30_000;
    const endpoint = { name: targetInMessages(this.target, target), target, hasTls: this.#security.hasTls };
    this.#rpc = new Rpc(this.#client, endpoint, callTimeoutMs, headers, this.#security.tokenMayChange);
  }

  /**
   * Opens a mailbox (SP_connect).
   *
   * @throws {@link SpreadError}, for example REJECT_NOT_UNIQUE or COULD_NOT_CONNECT. In this case, no mailbox
   * was opened
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
    const response = await this.#rpc.call(this.#client.connect, request, options);
    const init: MailboxInit = {
      id: response.mailboxId,
      privateGroup: response.privateGroup,
      daemon: response.daemon,
      daemonVersion: toTriple(response.daemonVersion),
      limits: toMailboxLimits(response.limits),
      acknowledgement: toAcknowledgementMode(response.acknowledgement),
      afterSequence: 0n,
    };
    return this.#keep(init, options, onClosed);
  }

  /**
   * Attaches to a mailbox that this process or a different process opened; see `Mailbox.detach`. When the
   * returned mailbox starts to receive, it replaces the receiver that is attached.
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

  /**
   * Returns the versions of the sidecar, the contract, Spread's client protocol and the daemon (SP_version).
   */
  async version(limits: CallLimits = {}): Promise<SidecarVersion> {
    const response = await this.#rpc.call(this.#client.getVersion, {}, limits);
    return {
      sidecar: response.sidecar,
      contract: response.contract,
      clientProtocol: toTriple(response.clientProtocol),
      daemon: response.daemon && toTriple(response.daemon),
      daemonAddress: response.daemonAddress,
      embeddedDaemon: response.embeddedDaemon,
    };
  }

  /**
   * Iterates over the state and the counters of all mailboxes of the sidecar. The client requests one page at
   * a time.
   *
   * @param adminToken - the sidecar's admin token. The client rejects it on a channel on which it would
   * reject `token`
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
      // Otherwise a sidecar that repeats a page token would cause an endless loop.
      if (pageToken !== '' && page.nextPageToken === pageToken)
        throw invalidResponse('ListMailboxes', 'repeats the page token of the request');
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  }

  /**
   * Waits until the sidecar responds. Retries failed attempts.
   *
   * @param options.timeoutMs - maximum time to wait. Unit: ms. Default: 30,000
   * @throws {@link SpreadError} with status DEADLINE_EXCEEDED after the timeout; the message contains the
   * last failure. If a retry cannot help, the call rejects immediately
   */
  async waitForReady(options: ReadyOptions = {}): Promise<void> {
    const { signal, timeoutMs = 30_000, daemon = false } = options;
    checkTimeout(timeoutMs);
    const deadline = performance.now() + timeoutMs;
    const backoff = new Backoff(LARGEST_READY_MS);
    let last: string | undefined;
    for (;;) {
      const remaining = deadline - performance.now();
      if (remaining <= 0)
        throw timeoutError(
          `the sidecar at ${this.target} was not ready within ${timeoutMs} ms: ${last ?? 'no response'}`,
        );
      try {
        const version = await this.version({ signal, timeoutMs: remaining });
        if (!daemon || version.daemon) return;
        last = 'the sidecar is not connected to its daemon';
      } catch (error) {
        const { status: code, message } = error as SpreadError;
        if (!mayBecomeReady(error as SpreadError)) throw error;
        // The last call can end with the wait's own deadline, which is not the reason.
        if (code === status.UNAVAILABLE) last = message;
        else last ??= message;
      }
      await pause(Math.min(backoff.next(), Math.max(deadline - performance.now(), 0)), signal);
    }
  }

  /**
   * Disconnects the mailboxes that were opened or attached over this channel, and closes the channel.
   *
   * @param options.keepMailboxes - whether to detach the mailboxes instead of ending them. They live until
   * their lease expires
   * @throws {@link SpreadError} of the first mailbox whose disconnect failed. The channel closes in any case
   */
  close(options: { keepMailboxes?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(options.keepMailboxes ?? false);
    return this.#closing;
  }

  /** Calls {@link close} and ignores its errors, which would hide an error of the `await using` block. */
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
