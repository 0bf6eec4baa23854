import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionInjector, Server, type ServerOptions } from '@grpc/grpc-js';
import type { ListenAddress } from '../net/listen-address.js';
import { type Listener, listenOn } from '../net/listener.js';
import { FairTurns } from '../timing/fair-turns.js';
import { type CallGate, OPEN_GATE } from './calls/call-gate.js';
import { type CallBounds, CallLimits } from './calls/call-limits.js';
import type { SweepBounds } from './calls/call-sweep.js';
import { insecureCredentials } from './calls/credentials.js';
import { type GrpcTelemetry, type MethodInfo, MethodTable, NO_TELEMETRY } from './calls/methods.js';
import { type OnCallRefused, type OnLimit, OpenCalls } from './calls/open-calls.js';
import { ResponseBudget } from './calls/response-budget.js';
import type { ServiceRegistration } from './calls/service-registration.js';
import { drainingStatus } from './codec/status.js';
import type { Tracing } from './codec/tracing.js';
import { quietGrpcLog } from './transport/grpc-log.js';
import { ignoreGoneStreams, startInTurns } from './transport/http2-streams.js';
import { ReadTurns } from './transport/read-turns.js';
import { watchConnections } from './transport/sessions/client-connections.js';
import { type ConnectionIdentity, identifyConnection } from './transport/sessions/connection-identity.js';
import { closeDeadSessions } from './transport/sessions/dead-sessions.js';
import { setHttp2 } from './transport/sessions/http2-settings.js';
import { keepAlive } from './transport/sessions/keep-alive.js';
import { guardSessions, type SessionBounds } from './transport/sessions/session-guard.js';
import { firstConcurrentStreams, StreamGate, streamsFor } from './transport/stream-gate.js';
import type { TlsEndpoint } from './transport/tls-endpoint.js';

/** Limits of the HTTP/2 transport that options of the sidecar set. */
interface ConfiguredTransport {
  /** Largest request message. Unit: bytes. Larger ones get RESOURCE_EXHAUSTED. */
  maxRequestBytes: number;
  /** Largest number of concurrent calls on one connection. Further calls wait in the client. */
  maxConcurrentStreams: number;
  /** Time after which a connection without calls is closed. Unit: ms. 0 = never. */
  maxConnectionIdleMs: number;
  /** Time limit for the arrival of a complete request; for a stream of requests, of the first. Unit: ms. */
  requestTimeoutMs: number;
  /** Whether requests may be compressed. */
  compression: boolean;
  /** Largest size of a call's metadata in bytes: names, values, and 32 for each. */
  maxHeaderBytes: number;
  /** Largest number of connections. One more is closed when it is accepted. */
  maxConnections: number;
  /** Unread bytes of the responses of all calls. */
  maxUnsentBytes: number;
}

/** Limits of the HTTP/2 transport without an option. */
interface FixedTransport {
  /** Time of silence after which a connection gets a PING. Unit: ms. 0 = never. */
  keepaliveTimeMs: number;
  /** Time limit for the response to the PING. Unit: ms. */
  keepaliveTimeoutMs: number;
  /**
   * Time without a byte after which the server checks whether the HTTP/2 session of a connection has silently
   * ended. Unit: ms.
   */
  silenceMs: number;
  /** Time limit for the start of HTTP/2 on a connection. Unit: ms. */
  openingTimeoutMs: number;
  /** HTTP/2 receive window of a stream. Unit: bytes. */
  streamWindowBytes: number;
  /**
   * HTTP/2 receive window of a connection. Unit: bytes. While a write to a connection waits for the other end,
   * Node reads nothing from the connection. If more bytes were in flight to the server than a socket holds (208
   * KiB by default on Linux, including overhead), a client in Node could wait for the server to read while the
   * server waits for the client.
   */
  connectionWindowBytes: number;
}

export type TransportOptions = ConfiguredTransport & FixedTransport;

const FIXED_TRANSPORT: FixedTransport = {
  keepaliveTimeMs: 60_000,
  keepaliveTimeoutMs: 20_000,
  silenceMs: 5000,
  openingTimeoutMs: 10_000,
  streamWindowBytes: 128 * 1024,
  connectionWindowBytes: 128 * 1024,
};

/** The limits of a server. Their defaults are those of the options. */
export interface GrpcBounds {
  /** Limits without an option can be absent. Then the server uses its own value. */
  readonly transport: ConfiguredTransport & Partial<FixedTransport>;
  readonly calls: CallBounds;
  /** Limits of the resources of calls. */
  readonly sweep: Omit<SweepBounds, 'requestTimeoutMs'>;
  /** Limits of one connection. */
  readonly sessions: Omit<SessionBounds, 'openingTimeoutMs'>;
}

export interface GrpcServerOptions {
  services: readonly ServiceRegistration[];
  bounds: GrpcBounds;
  telemetry?: GrpcTelemetry;
  /** Undefined while tracing is off. */
  tracing?: Tracing | undefined;
  /** TLS for every TCP address. Default: none. */
  tls?: TlsEndpoint;
  /** Decides which calls are accepted. Default: all. */
  gate?: CallGate;
  /** Called for rejected calls. */
  onRefused?: OnCallRefused;
  /**
   * Called for a limit that a connection or a call exceeded before it had a handler, with the name of its option.
   */
  onLimit?: OnLimit;
  /**
   * Called for each accepted connection, because the whole process has a limit. False: the connection is one too
   * many. Default: no limit.
   */
  admit?: (socket: Socket) => boolean;
  /** Called when a connection cannot be accepted, for example with too many open files. The listener continues. */
  onAcceptError?: (error: Error) => void;
}

/** Time for ended streams to send their status before connections are closed. */
const FLUSH_MS = 500;

/** A gRPC server on any number of addresses. */
export class GrpcServer {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #listeners: Listener[] = [];
  readonly #methods = new MethodTable();
  readonly #calls: OpenCalls;
  readonly #tls: TlsEndpoint | undefined;
  /** Connections, including those in the handshake. */
  readonly #accepted = new Set<Socket>();
  readonly #injected = new Set<Duplex>();
  readonly #onAcceptError: ((error: Error) => void) | undefined;
  readonly #onLimit: OnLimit;
  readonly #admit: (socket: Socket) => boolean;
  readonly #maxConnections: number;
  readonly #streams: StreamGate;
  #stopped: Promise<void> | undefined;

  constructor(options: GrpcServerOptions) {
    const { calls, sweep, sessions } = options.bounds;
    const transport = { ...FIXED_TRANSPORT, ...options.bounds.transport };
    const telemetry = options.telemetry ?? NO_TELEMETRY;
    quietGrpcLog();
    for (const { definition } of options.services) this.#methods.add(definition);
    this.#onLimit = options.onLimit ?? (() => {});
    this.#maxConnections = transport.maxConnections;
    this.#admit = options.admit ?? (() => true);
    const gate = options.gate ?? OPEN_GATE;
    const streamBounds = {
      maxStreams: streamsFor(calls.maxCalls),
      maxConcurrentStreams: transport.maxConcurrentStreams,
      needsCredential: gate.needsCredential,
    };
    const turns = new FairTurns();
    const streams = new StreamGate(streamBounds, turns, this.#onLimit);
    this.#streams = streams;
    this.#calls = new OpenCalls({
      methods: this.#methods,
      telemetry,
      transport,
      sweep: { ...sweep, requestTimeoutMs: transport.requestTimeoutMs },
      gate,
      onRefused: options.onRefused ?? (() => {}),
      limits: new CallLimits(calls),
      responses: new ResponseBudget(transport.maxUnsentBytes),
      onProven: (connection) => streams.prove(connection),
      onLimit: this.#onLimit,
      turns,
      tracing: options.tracing,
    });
    const maxConcurrentStreams = firstConcurrentStreams(streamBounds);
    this.#server = new Server({
      ...channelOptions({ ...transport, maxConcurrentStreams }),
      interceptors: [this.#calls.interceptor],
    });
    for (const { definition, implementation } of options.services) {
      this.#server.addService(definition, implementation);
    }
    this.#injector = this.#server.createConnectionInjector(insecureCredentials());
    this.#tls = options.tls;
    this.#tls?.serve((connection, identity) => this.inject(connection, identity));
    this.#onAcceptError = options.onAcceptError;
    setHttp2(this.#server, transport);
    // The outermost guard is the last one.
    startInTurns(this.#server, turns);
    streams.guard(this.#server);
    ignoreGoneStreams(this.#server);
    new ReadTurns().watch(this.#server);
    watchConnections(this.#server);
    closeDeadSessions(this.#server, transport.silenceMs);
    keepAlive(this.#server, transport);
    guardSessions(
      this.#server,
      { ...sessions, openingTimeoutMs: transport.openingTimeoutMs },
      {
        onLimit: this.#onLimit,
        onTooOld: (session) => this.#calls.endOf(session),
      },
    );
  }

  /** The real addresses, in the requested order. */
  get addresses(): ListenAddress[] {
    return this.#listeners.map((listener) => listener.address);
  }

  /** Addresses whose socket file was removed or replaced, so that no client reaches them. */
  get unreachable(): ListenAddress[] {
    return this.#listeners.filter((listener) => !listener.isReachable).map((listener) => listener.address);
  }

  /** Every method of the server. */
  get methods(): MethodInfo[] {
    return this.#methods.all();
  }

  /** Number of calls in flight. */
  get openCalls(): number {
    return this.#calls.size;
  }

  /** Number of open connections. */
  get connections(): number {
    return this.#injected.size;
  }

  /**
   * Listens on all of the addresses, or on none.
   *
   * @throws ListenError; Error when stop() was called before or meanwhile
   */
  async listen(addresses: readonly ListenAddress[]): Promise<ListenAddress[]> {
    const started: Listener[] = [];
    try {
      for (const address of addresses) {
        this.#mustNotBeStopped();
        started.push(
          await listenOn(address, this.#acceptor(address), { onAcceptError: this.#onAcceptError }),
        );
      }
      this.#mustNotBeStopped();
    } catch (error) {
      await Promise.all(started.map((listener) => listener.stopAccepting()));
      throw error;
    }
    this.#listeners.push(...started);
    return started.map((listener) => listener.address);
  }

  /** Ends the calls whose credential is not accepted any more. */
  recheckCalls(): void {
    this.#calls.recheck();
  }

  /** Serves a connection that another listener accepted. */
  inject(connection: Duplex, identity: ConnectionIdentity = 'tcp'): void {
    identifyConnection(connection, identity);
    this.#injected.add(connection);
    connection.once('close', () => this.#injected.delete(connection));
    this.#injector.injectConnection(connection);
  }

  /**
   * Stops listening and removes socket files. Calls in flight can finish for up to `graceMs`. Ends the remaining
   * calls with UNAVAILABLE, reason DRAINING, and closes every connection. grpc-js's own tryShutdown() waits for
   * open streams forever, and forceShutdown() shows CANCELLED to clients.
   */
  stop(options: { graceMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(options.graceMs);
    return this.#stopped;
  }

  #mustNotBeStopped(): void {
    if (this.#stopped !== undefined) throw new Error('the server was stopped');
  }

  #acceptor({ kind }: ListenAddress): (socket: Socket) => void {
    const tls = kind === 'tcp' ? this.#tls : undefined;
    const serve = tls
      ? (socket: Socket) => tls.accept(socket)
      : (socket: Socket) => this.inject(socket, kind);
    return (socket) => {
      if (this.#accepted.size >= this.#maxConnections) {
        this.#onLimit('limits.maxConnections', { peer: `${socket.remoteAddress ?? kind}` });
        socket.destroy();
        return;
      }
      if (!this.#admit(socket)) {
        socket.destroy();
        return;
      }
      this.#accepted.add(socket);
      socket.once('close', () => this.#accepted.delete(socket));
      serve(socket);
    };
  }

  /**
   * Waits until ended calls have sent their status, for at most {@link FLUSH_MS}. From Node 24 on, a connection
   * that starts to close before that loses the status.
   */
  async #statusesSent(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const deadline = performance.now() + FLUSH_MS;
    while (this.#streams.streams > this.#calls.size && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 1));
  }

  async #stop(graceMs: number): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.stopAccepting()));
    await this.#statusesSent();
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    await atMost(graceMs, this.#calls.whenIdle());
    this.#calls.endAll(drainingStatus());
    await atMost(FLUSH_MS, closed);
    const cut = [...this.#injected].map((connection) => {
      const connectionClosed = new Promise<void>((resolve) => connection.once('close', () => resolve()));
      connection.destroy();
      return connectionClosed;
    });
    await Promise.all(cut);
    // The remaining connections are in the handshake.
    for (const listener of this.#listeners) listener.destroyConnections();
    this.#server.forceShutdown();
  }
}

function channelOptions(transport: TransportOptions): ServerOptions {
  return {
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': transport.maxRequestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': transport.maxConcurrentStreams,
  };
}

async function atMost(ms: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([done, timeout]);
  clearTimeout(timer);
}
