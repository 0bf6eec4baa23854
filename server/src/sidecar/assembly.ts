import { AdminServer } from '../admin/admin-server.js';
import type { PageAccess } from '../admin/page-access.js';
import { type ConfigSources, defaultConfig, isIpv6Only, type SidecarConfig } from '../config/index.js';
import type { ServiceRegistration } from '../grpc/calls/service-registration.js';
import { eventEncoder } from '../grpc/codec/event-encoder.js';
import { FailureTranslator } from '../grpc/codec/failure.js';
import { GrpcServer } from '../grpc/server.js';
import type { HealthBoard } from '../grpc/services/health.js';
import { mailboxService } from '../grpc/services/mailbox-service.js';
import { reflection } from '../grpc/services/reflection.js';
import { DaemonMonitor, type DaemonStatus } from '../mailbox/connection/daemon-monitor.js';
import { MailboxRegistry } from '../mailbox/registry/registry.js';
import type { ListenAddress } from '../net/listen-address.js';
import {
  createEvents,
  type Logger,
  type LogSubscriber,
  logEvents,
  type SidecarEvents,
  type ThrottledLog,
} from '../observability/index.js';
import { IP_AUTH, NULL_AUTH } from '../spread/auth.js';
import { Session } from '../spread/session.js';
import { EventRecorder } from '../status/event-recorder.js';
import { Start } from '../status/status-pages.js';
import type { RunningTracing } from '../tracing/open-telemetry.js';
import { type Environment, tracingSettings } from '../tracing/tracing-settings.js';
import { Access } from './access.js';
import { grpcBounds } from './client-limits.js';
import type { ConnectionPlan } from './connection-plan.js';
import { type RunningDaemon, sessionOpener, startEmbeddedDaemon } from './embedded.js';
import { jsonPages } from './json-pages.js';
import { GIVE_UP_MIN_MS, mailboxSettings, unlessOff } from './mailbox-settings.js';
import type { MemoryPlan } from './memory-plan.js';
import { type ProbeFacts, probeChecks } from './probes.js';
import { sidecarMetrics } from './sidecar-metrics.js';

/**
 * Interval and timeout for messages through the default daemon. The timeout is longer than the time for which real
 * daemons hold back messages when one of their neighbours fails.
 */
const DAEMON_PROBE = { intervalMs: 5000, timeoutMs: 10_000 };

/** The inputs of the assembly. */
export interface AssemblyOptions {
  readonly config: SidecarConfig;
  readonly configSources: ConfigSources | undefined;
  /** The release, such as `0.1.0`. */
  readonly version: string;
  readonly logger: Logger;
  /** The variables of OpenTelemetry. */
  readonly environment: Environment;
  /** For lines that clients can cause at any rate. */
  readonly throttledLog: ThrottledLog;
  readonly memory: MemoryPlan;
  readonly connections: ConnectionPlan;
  readonly health: HealthBoard;
  readonly facts: ProbeFacts;
  /** Called when the state of the default daemon has changed. */
  onDaemonChange(status: DaemonStatus): void;
  /** Called on `POST /quitquitquit`. */
  onQuit(): void;
}

/** The parts of a sidecar and their connections. Each part exists from the step that creates it. */
export class Assembly {
  log?: LogSubscriber;
  embedded?: RunningDaemon;
  access?: Access;
  registry?: MailboxRegistry;
  monitor?: DaemonMonitor;
  grpc?: GrpcServer;
  admin?: AdminServer;
  tracing?: RunningTracing | undefined;
  readonly #options: AssemblyOptions;
  #events: SidecarEvents | undefined;
  readonly #start = new Start();
  readonly #recorder = new EventRecorder();

  constructor(options: AssemblyOptions) {
    this.#options = options;
  }

  /** The first step, because the metrics name the daemons. */
  async startEmbeddedDaemon(): Promise<void> {
    const { config, memory, connections } = this.#options;
    if (!config.embedded.enabled) return;
    this.embedded = await startEmbeddedDaemon(
      config,
      memory.bounds['embedded.maxQueueBytes'],
      { event: (event) => this.#events?.embedded.event(event) },
      {
        admit: connections.admit,
        onError: (error) => this.#acceptFailed(error, 'the embedded daemon cannot accept connections'),
      },
    );
  }

  /** The second step: creates everything else. Nothing listens yet. */
  async build(): Promise<void> {
    const { config, memory, logger, connections, facts, health } = this.#options;
    const daemons = this.daemons;
    const settings = mailboxSettings(config, memory.bounds, daemons, this.embedded?.names);
    const privateNames = settings.names && {
      seed: config.mailbox.privateNameSeed,
      prefix: settings.names.prefix,
    };
    if (privateNames) logger.info(privateNames, 'private names are generated from the seed');
    const commonServices = [health.registration(), ...(config.grpc.reflection ? reflection() : [])];
    this.tracing = await this.#startTracing();
    const metrics = sidecarMetrics({
      ...this.#options,
      services: commonServices,
      daemons,
      privateNames,
      parts: this,
    });
    this.log = logEvents(logger);
    const events = createEvents([metrics.events, this.log, this.#recorder]);
    this.#events = events;
    connections.onRefused = (about) => events.limits.reached('process.openFiles', about);
    const access = await Access.open(config, events.security);
    this.access = access;
    const registry = new MailboxRegistry({
      settings,
      encode: eventEncoder(config.mailbox.headers),
      telemetry: events.mailbox,
      connectSession: this.embedded && sessionOpener(this.embedded),
    });
    this.registry = registry;
    this.monitor = this.#createMonitor(events);
    this.grpc = this.#createGrpcServer(registry, events, access, commonServices);
    if (config.admin.listen === 'off') return;
    if (!access.hasAdmin) this.#warnOfOpenPages();
    this.admin = new AdminServer({
      pages: {
        checks: probeChecks(facts),
        metrics: () => metrics.page(),
        onError: (error) => this.#pageFailed('the metrics could not be collected', error),
        quit: config.admin.quitquitquit
          ? { ...pageAccess('/quitquitquit', access, events), quit: () => this.#options.onQuit() }
          : undefined,
        drop: config.admin.failureInjection
          ? {
              ...pageAccess('/drop-mailbox', access, events),
              drop: (mailbox) => this.#dropMailbox(registry, mailbox),
            }
          : undefined,
        json: {
          access: (path) => pageAccess(path, access, events),
          pages: jsonPages({
            ...this.#options,
            bounds: memory.bounds,
            start: this.#start,
            registry,
            recorder: this.#recorder,
          }),
          onError: (error) => this.#pageFailed('a JSON page could not be created', error),
        },
        status: {
          access: (path) => pageAccess(path, access, events),
          onError: (error) => this.#pageFailed('a file of the status page could not be read', error),
        },
      },
      health,
      telemetry: events.grpc,
      limits: connections.adminLimits,
      // These options limit applications, not probes.
      bounds: grpcBounds(defaultConfig(), memory.bounds),
      onEvicted: (peer) => events.limits.reached('admin.connections', { peer }),
      onAcceptError: (error) => this.#acceptFailed(error, 'the admin port cannot accept connections'),
    });
  }

  /** Spread names of the default daemons. */
  get daemons(): readonly string[] {
    return this.embedded ? [this.embedded.address] : this.#options.config.daemon.addresses;
  }

  /** The listen addresses of the gRPC server. */
  get grpcAddresses(): ListenAddress[] {
    const { grpc } = this.#options.config;
    return grpc.listen.map((address) =>
      address.kind === 'unix'
        ? {
            ...address,
            mode: grpc.socketMode,
            ...(grpc.socketGroup === '' ? {} : { group: grpc.socketGroup }),
          }
        : { ...address, ipv6Only: isIpv6Only(address, grpc.listen) },
    );
  }

  /** A local proxy that adds no header looks like a local client. */
  #warnOfOpenPages(): void {
    const { quitquitquit, failureInjection } = this.#options.config.admin;
    const pages = [
      ...(quitquitquit ? ['/quitquitquit'] : []),
      ...(failureInjection ? ['/drop-mailbox'] : []),
    ];
    if (pages.length === 0) return;
    this.#options.logger.warn(
      { pages },
      'without an admin token, every process on this machine or in this pod can use these pages; set admin.token or admin.tokenFile',
    );
  }

  #dropMailbox(registry: MailboxRegistry, mailbox: string): ReturnType<MailboxRegistry['drop']> {
    const outcome = registry.drop(mailbox);
    const message = 'closing the connection of a mailbox, as requested by /drop-mailbox';
    this.#options.throttledLog.write('warn', message, { outcome }, message);
    return outcome;
  }

  #pageFailed(message: string, error: unknown): void {
    this.#options.throttledLog.write('error', message, { err: error }, message);
  }

  /** Peers can cause this at any rate, with connections that use up all file descriptors. */
  #acceptFailed(error: Error, message: string): void {
    this.#options.throttledLog.write('error', message, { err: error }, message);
  }

  async #startTracing(): Promise<RunningTracing | undefined> {
    const { config, environment, version, logger, throttledLog } = this.#options;
    const settings = tracingSettings(config.tracing, environment);
    if (settings === undefined) return undefined;
    for (const problem of settings.problems) logger.warn(problem);
    const { startTracing } = await import('../tracing/open-telemetry.js');
    const message = 'problem with the export of traces';
    return startTracing(settings, version, (problem) =>
      throttledLog.write('warn', message, { problem }, message),
    );
  }

  #createMonitor(events: SidecarEvents): DaemonMonitor {
    const { config, onDaemonChange } = this.#options;
    const { connectTimeout, monitorBackoffMin, monitorBackoffMax } = config.daemon;
    const auth = [config.daemon.auth === 'ip' ? IP_AUTH : NULL_AUTH];
    return new DaemonMonitor({
      daemons: this.daemons,
      connect: (options) => Session.connect({ ...options, auth }),
      connectTimeoutMs: connectTimeout,
      backoff: { initialMs: monitorBackoffMin, maxMs: monitorBackoffMax },
      probe: DAEMON_PROBE,
      onRoundTrip: (seconds) => events.daemon.roundTrip(seconds),
      onChange: (status) => {
        if (status.up) {
          const { major, minor, patch } = status.version;
          events.daemon.up(status.daemon, `${major}.${minor}.${patch}`);
        } else {
          events.daemon.down(status.error);
        }
        onDaemonChange(status);
      },
    });
  }

  #createGrpcServer(
    registry: MailboxRegistry,
    events: SidecarEvents,
    access: Access,
    commonServices: readonly ServiceRegistration[],
  ): GrpcServer {
    const { config, version, memory, connections, throttledLog, facts } = this.#options;
    const failures = new FailureTranslator(
      (error, logId) => {
        events.mailbox.defect(error);
        const message = 'the sidecar returned INTERNAL because of the defect above';
        throttledLog.write('error', message, { logId }, message);
      },
      (code) => events.grpc.spreadError(code),
      (limit) => events.limits.reached(limit, {}),
    );
    const { batchMaxBytes, heartbeatMin, heartbeatDefault } = config.receive;
    const { limits } = config;
    const service = mailboxService({
      registry,
      failures,
      admin: access.admin,
      headers: config.mailbox.headers,
      telemetry: events.grpc,
      tracing: this.tracing?.spans,
      limits: {
        leaseMinMs: config.mailbox.leaseMin,
        leaseMaxMs: config.mailbox.leaseMax,
        giveUpMinMs: GIVE_UP_MIN_MS,
        giveUpMaxMs: config.mailbox.reconnectGiveUpMax,
        maxBatchBytes: batchMaxBytes,
        maxBytesInFlight: 2 * batchMaxBytes,
        heartbeatMinMs: heartbeatMin,
        heartbeatDefaultMs: unlessOff(heartbeatDefault),
        maxBatchMessages: limits.maxBatchMessages,
      },
      version: () => {
        const status = facts.daemon();
        const daemon = status.up ? { version: status.version, address: status.daemon } : undefined;
        return { sidecar: version, daemon, embeddedDaemon: config.embedded.enabled };
      },
    });
    const server = new GrpcServer({
      services: [service, ...commonServices],
      tls: access.tls,
      gate: access.gate,
      onRefused: access.onRefused,
      telemetry: events.grpc,
      tracing: this.tracing?.spans,
      admit: connections.admit,
      onAcceptError: (error) => this.#acceptFailed(error, 'the gRPC server cannot accept connections'),
      bounds: grpcBounds(config, memory.bounds),
      onLimit: (limit, about) => events.limits.reached(limit, about),
    });
    access.onClientTokens = () => server.recheckCalls();
    return server;
  }
}

const pageAccess = (page: string, access: Access, events: SidecarEvents): PageAccess => ({
  credential: access.hasAdmin ? access.admin : undefined,
  onRefused: (why, peer) => events.security.refused('ADMIN_ONLY', { page, why, peer }),
});
