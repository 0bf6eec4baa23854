import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { GrpcTelemetry } from '../grpc/calls/methods.js';
import { type GrpcBounds, GrpcServer } from '../grpc/server.js';
import type { HealthBoard } from '../grpc/services/health.js';
import type { ListenAddress } from '../net/listen-address.js';
import { type Listener, listenOn } from '../net/listener.js';
import { FairTurns } from '../timing/fair-turns.js';
import { ConnectionTable } from './connection-table.js';
import { GatedConnection, REQUEST_COST } from './gated-connection.js';
import { type AdminPages, adminHandler } from './http-handler.js';
import { Http1Traffic } from './http1-traffic.js';
import { sniffProtocol } from './protocol-sniffer.js';

export interface AdminServerOptions {
  pages: AdminPages;
  health: HealthBoard;
  telemetry?: GrpcTelemetry;
  /** Called when a connection can't be accepted, as with too many open files. The listener continues. */
  onAcceptError?: (error: Error) => void;
  /** Called when a connection lost its place to a later one. */
  onEvicted?: (peer: string) => void;
  /** What is not given takes the default beside its field. */
  limits?: Partial<AdminLimits>;
  /** Of health over gRPC. The port's own limits replace those of connections, calls and requests. */
  bounds: GrpcBounds;
}

export interface AdminLimits {
  /** Most bytes of an HTTP/1 request's head; more: 431. Default 8 KiB. */
  maxHeaderBytes: number;
  /** How long a client may take to send its first bytes, or a request. Unit: ms. Default 5000. */
  headersTimeoutMs: number;
  /** How long a connection without a request stays open, and how long an answer may take to be taken. Unit: ms. Default 30,000. */
  idleTimeoutMs: number;
  /** Most connections. With one more, the address that has the most loses its oldest connection. Default 500. */
  maxConnections: number;
  /** Connections that may stay. Of more, the oldest close one after the other. Default 200. */
  keptConnections: number;
  /** Most connections that speak HTTP/2, likewise. Default 64. */
  maxHttp2Connections: number;
  /** Most requests for `/metrics` at once that wait for the page or have not taken it; more: 503. Default 32. */
  maxScrapes: number;
}

/** Most calls at once on one HTTP/2 connection: probes make one. */
const MAX_STREAMS = 8;
/** Work to begin an HTTP/2 connection with its first calls, which fills a turn. Unit: small unary calls. */
const HTTP2_COST = 16;
/** HTTP/2 receive windows, and the largest request of a call: those of health have a few bytes. */
const WINDOW_BYTES = 65_535;
const MAX_REQUEST_BYTES = 4096;

/** The beginning of a probe. A probe that waits goes ahead of scrapes that wait, because its response is small. */
const PROBE = /^(GET|HEAD) \/(livez|readyz|startupz)/;

/** Requests that a connection may have before those of others. Few, so that a probe does not wait for those of 200 connections. */
const BURST = REQUEST_COST;

const DEFAULT_ADMIN_LIMITS: AdminLimits = {
  maxHeaderBytes: 8 * 1024,
  headersTimeoutMs: 5000,
  idleTimeoutMs: 30_000,
  maxConnections: 500,
  keptConnections: 200,
  maxHttp2Connections: 64,
  maxScrapes: 32,
};

/**
 * The port for probes and scrapers: HTTP/1.1 pages and, over HTTP/2 without TLS, gRPC health. Apart from the
 * port of the contract, because Kubernetes probes come from outside the pod and without credentials.
 */
export class AdminServer {
  readonly #http: Server;
  readonly #grpc: GrpcServer;
  readonly #limits: AdminLimits;
  readonly #connections: ConnectionTable;
  readonly #http2Connections: ConnectionTable;
  readonly #serveHttp1: (socket: Socket, beginning: Buffer) => void;
  readonly #onAcceptError: ((error: Error) => void) | undefined;
  #listener: Listener | undefined;
  readonly #traffic: Http1Traffic;
  readonly #turns = new FairTurns(BURST);
  #stopped: Promise<void> | undefined;

  constructor(options: AdminServerOptions) {
    const limits = { ...DEFAULT_ADMIN_LIMITS, ...options.limits };
    this.#limits = limits;
    this.#onAcceptError = options.onAcceptError;
    this.#connections = new ConnectionTable(
      { hard: limits.maxConnections, soft: Math.min(limits.keptConnections, limits.maxConnections) },
      options.onEvicted,
    );
    this.#http2Connections = new ConnectionTable({ hard: limits.maxHttp2Connections }, options.onEvicted);
    this.#http = createServer(
      {
        maxHeaderSize: limits.maxHeaderBytes,
        headersTimeout: limits.headersTimeoutMs,
        requestTimeout: limits.headersTimeoutMs,
        keepAliveTimeout: limits.idleTimeoutMs,
        connectionsCheckingInterval: 1000,
      },
      adminHandler(options.pages, limits.maxScrapes),
    );
    this.#traffic = new Http1Traffic(this.#http, limits.idleTimeoutMs);
    // The HTTP server listens itself, or it would not watch its timeouts; but who serves a connection is
    // decided first.
    const [serve] = this.#http.listeners('connection') as ((connection: GatedConnection) => void)[];
    this.#http.removeAllListeners('connection');
    this.#serveHttp1 = (socket, beginning) => {
      const connection = new GatedConnection(socket, {
        turns: this.#turns,
        firstCost: PROBE.test(beginning.toString('latin1')) ? 1 : REQUEST_COST,
        onAnswered: () => this.#connections.used(socket),
      });
      this.#traffic.add(connection);
      serve?.call(this.#http, connection);
    };
    this.#grpc = new GrpcServer({
      services: [options.health.registration()],
      telemetry: options.telemetry,
      bounds: {
        ...options.bounds,
        calls: { ...options.bounds.calls, maxCalls: limits.maxHttp2Connections * MAX_STREAMS },
        transport: {
          ...options.bounds.transport,
          maxRequestBytes: MAX_REQUEST_BYTES,
          maxConcurrentStreams: MAX_STREAMS,
          streamWindowBytes: WINDOW_BYTES,
          connectionWindowBytes: WINDOW_BYTES,
          maxConnectionIdleMs: limits.idleTimeoutMs,
          openingTimeoutMs: limits.headersTimeoutMs,
          requestTimeoutMs: limits.headersTimeoutMs,
        },
      },
    });
  }

  /** The real address once listen() is done. */
  get address(): ListenAddress | undefined {
    return this.#listener?.address;
  }

  /** @throws ListenError */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    if (this.#stopped !== undefined) throw new Error('the server was stopped');
    const listener = await listenOn(address, (socket) => this.#accept(socket), {
      server: this.#http,
      onAcceptError: this.#onAcceptError,
    });
    if (this.#stopped !== undefined) {
      await listener.stopAccepting();
      throw new Error('the server was stopped');
    }
    this.#listener = listener;
    return this.#listener.address;
  }

  /** Answers what is in flight for up to `graceMs`, then cuts. */
  stop(options: { graceMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(options.graceMs);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    await this.#listener?.stopAccepting();
    this.#http.closeIdleConnections();
    await Promise.all([this.#grpc.stop({ graceMs }), this.#traffic.answered(graceMs)]);
    this.#listener?.destroyConnections();
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    const http2 = (found: Socket) => {
      this.#http2Connections.add(found);
      // The gRPC server adds its own listener. Without this one, a reset before that would end the process.
      found.on('error', () => found.destroy());
      // One read of a new connection can begin as many calls as the connection may have.
      this.#turns.run(
        found,
        () => {
          if (found.destroyed) return;
          this.#turns.charge(found, HTTP2_COST);
          this.#grpc.inject(found);
        },
        HTTP2_COST,
      );
    };
    sniffProtocol(socket, { http1: this.#serveHttp1, http2 }, this.#limits.headersTimeoutMs);
  }
}
