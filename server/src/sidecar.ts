import { AdminServer } from './admin/admin-server.js';
import type { DropPage } from './admin/drop-page.js';
import type { PageAccess } from './admin/page-access.js';
import type { QuitPage } from './admin/quit-page.js';
import { isIpv6Only, type SidecarConfig } from './config/index.js';
import { MethodTable } from './grpc/calls/methods.js';
import type { ServiceRegistration } from './grpc/calls/service-registration.js';
import { encodeEvent } from './grpc/codec/event-encoder.js';
import { FailureTranslator } from './grpc/codec/failure.js';
import { DEFAULT_SERVICE_LIMITS } from './grpc/handlers/service-context.js';
import { GrpcServer } from './grpc/server.js';
import { HealthBoard } from './grpc/services/health.js';
import { MAILBOX_DEFINITION, MAILBOX_SERVICE, mailboxService } from './grpc/services/mailbox-service.js';
import { reflection } from './grpc/services/reflection.js';
import { formatListenAddress, type ListenAddress } from './grpc/transport/listen/address.js';
import { DaemonMonitor, type DaemonStatus } from './mailbox/connection/daemon-monitor.js';
import { MailboxRegistry } from './mailbox/registry/registry.js';
import { type ProcessMemory, processMemory } from './memory/process-memory.js';
import { openFilesLimit } from './net/connection-budget.js';
import {
  createEvents,
  createMetrics,
  type Logger,
  type LogSubscriber,
  LogThrottle,
  leftOutLines,
  logEvents,
  type Metrics,
  type MetricsOptions,
  type SidecarEvents,
} from './observability/index.js';
import { Access } from './sidecar/access.js';
import { callBounds, sessionBounds, sweepBounds, transportOptions } from './sidecar/client-limits.js';
import { type ConnectionPlan, planConnections } from './sidecar/connection-plan.js';
import { DaemonWait } from './sidecar/daemon-wait.js';
import { type RunningDaemon, startEmbeddedDaemon } from './sidecar/embedded.js';
import { GIVE_UP_MIN_MS, mailboxSettings, unlessOff } from './sidecar/mailbox-settings.js';
import { type MemoryPlan, planMemory } from './sidecar/memory-plan.js';
import { reportMemory } from './sidecar/memory-report.js';
import { isReady, isServing, type LifeStage, type ProbeFacts, probeChecks } from './sidecar/probes.js';
import { ShutdownDelay } from './sidecar/shutdown-delay.js';
import { IP_AUTH, NULL_AUTH } from './spread/auth.js';
import { ERROR_TABLE } from './spread/error-table.js';
import { Session } from './spread/session.js';

/** What a sidecar needs of the world. */
export interface SidecarDependencies {
  readonly logger: Logger;
  /** The release, such as `0.1.0`. */
  readonly version: string;
  /** The memory that the process may use. Default: as the container, the machine and V8 have it. */
  readonly memory?: ProcessMemory;
  /** How many files the process may have open. Default: as the system has it. */
  readonly openFiles?: number;
}

/** Where a sidecar really listens: with the ports that were taken where 0 was asked for. */
export interface SidecarAddresses {
  /** As gRPC clients take them: `127.0.0.1:4813`, `unix:/run/spread.sock`. */
  readonly grpc: readonly string[];
  /** host:port. */
  readonly admin?: string;
  /** The embedded daemon, as spread names. */
  readonly daemon?: { readonly tcp?: string; readonly unix?: string };
}

export interface Sidecar {
  readonly addresses: SidecarAddresses;
  /** True when it is worth to begin with calls: it listens, the default daemon is up, and nobody told it to stop. */
  readonly ready: boolean;
  /** What is known of the default daemon. */
  readonly daemon: DaemonStatus;
  /** Resolves when the first attempt to reach the default daemon has succeeded or failed. */
  readonly daemonAsked: Promise<void>;
  /** Resolves when it has stopped, whoever wanted that: stop() was called, or `POST /quitquitquit` came. */
  readonly stopped: Promise<void>;
  /**
   * Opens everything. Resolves when it listens; a real daemon may still be down then, and `ready` false. Rejects with
   * ListenError, and then leaves nothing open. Resolves without listening when stop() was called before or meanwhile. A second
   * call returns the outcome of the first.
   */
  start(): Promise<void>;
  /**
   * Goes on to serve for up to `delayMs` (default 0; see ShutdownDelay), then drains and ends: health NOT_SERVING, no
   * new mailboxes, Receive streams get what is queued for up to `graceMs` (default: drain.grace), mailboxes leave
   * their daemon. Never rejects. A second call ends the first one's delay, unless it has one itself, and that is all.
   */
  stop(options?: StopOptions): Promise<void>;
}

export interface StopOptions {
  readonly delayMs?: number;
  readonly graceMs?: number;
}

/** Streams that have been ended get this long to hand their status over. */
const CLOSE_MS = 500;

/**
 * How often the default daemon has to return a message. The timeout is longer than real daemons hold messages back while one
 * of their neighbours fails.
 */
const DAEMON_PROBE = { intervalMs: 5000, timeoutMs: 10_000 };

/** Lines in ten seconds, of each kind that clients can cause. */
const LINES_OF_A_KIND = 3;

/** stop() was called while the start was under way. */
class StoppedMeanwhile extends Error {}

/** Puts the parts together; the only place that knows all of them. */
export function createSidecar(config: SidecarConfig, dependencies: SidecarDependencies): Sidecar {
  return new AssembledSidecar(config, dependencies);
}

/** The parts that exist while it runs. */
interface Parts {
  log?: LogSubscriber;
  embedded?: RunningDaemon;
  access?: Access;
  registry?: MailboxRegistry;
  monitor?: DaemonMonitor;
  grpc?: GrpcServer;
  admin?: AdminServer;
}

class AssembledSidecar implements Sidecar {
  readonly #config: SidecarConfig;
  readonly #dependencies: SidecarDependencies;
  readonly #memory: MemoryPlan;
  readonly #connections: ConnectionPlan;
  readonly #health = new HealthBoard([MAILBOX_SERVICE]);
  readonly #parts: Parts = {};
  #stage: LifeStage = 'starting';
  #wasReady = false;
  #started: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  readonly #delay: ShutdownDelay;
  readonly #logThrottle = new LogThrottle(LINES_OF_A_KIND);
  readonly stopped: Promise<void>;
  #onStopped: () => void = () => {};
  readonly daemonAsked: Promise<void>;
  #onDaemonAsked: () => void = () => {};
  readonly #daemonWait = new DaemonWait((waitedMs) => this.#reportWait(waitedMs));
  readonly #facts: ProbeFacts = {
    stage: () => this.#stage,
    wasReady: () => this.#wasReady,
    daemon: () => this.daemon,
    lostSocketFiles: () => this.#lostSocketFiles(),
  };

  constructor(config: SidecarConfig, dependencies: SidecarDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    const openFiles = dependencies.openFiles ?? openFilesLimit();
    this.#memory = planMemory(config, dependencies.memory ?? processMemory(), openFiles);
    this.#connections = planConnections(() => this.#parts.registry?.size ?? 0, openFiles);
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve;
    });
    this.daemonAsked = new Promise((resolve) => {
      this.#onDaemonAsked = resolve;
    });
    this.#delay = new ShutdownDelay(() => {
      const { registry, grpc } = this.#parts;
      return (registry?.size ?? 0) > 0 || (grpc?.connections ?? 0) > 0;
    });
  }

  get addresses(): SidecarAddresses {
    const { grpc, admin, embedded } = this.#parts;
    return {
      grpc: (grpc?.addresses ?? []).map(formatListenAddress),
      admin: admin?.address && formatListenAddress(admin.address),
      daemon: embedded?.addresses,
    };
  }

  get ready(): boolean {
    return isReady(this.#facts);
  }

  get daemon(): DaemonStatus {
    return this.#parts.monitor?.status ?? { up: false, error: undefined };
  }

  #lostSocketFiles(): readonly string[] {
    const { grpc, embedded } = this.#parts;
    const lost = (grpc?.unreachable ?? []).map((address) => (address.kind === 'unix' ? address.path : ''));
    return embedded?.unreachable === undefined ? lost : [...lost, embedded.unreachable];
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#startOutcome(this.#started);
  }

  async #startOutcome(started: Promise<void>): Promise<void> {
    try {
      await started;
    } catch (error) {
      await this.stop({ graceMs: 0 });
      if (!(error instanceof StoppedMeanwhile)) throw error;
    }
  }

  /** For between the steps of the start. */
  #goOn(): void {
    if (this.#stopping !== undefined) throw new StoppedMeanwhile();
  }

  stop({ delayMs = 0, graceMs = this.#config.drain.grace }: StopOptions = {}): Promise<void> {
    if (delayMs === 0) this.#delay.end();
    this.#stopping ??= this.#stop(delayMs, graceMs);
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { logger } = this.#dependencies;
    const config = this.#config;
    this.#goOn();
    // The embedded daemon comes before the events that metrics are told of, because the metrics name the daemons.
    let toldOfDaemon: SidecarEvents | undefined;
    if (config.embedded.enabled) {
      this.#parts.embedded = await startEmbeddedDaemon(
        config,
        this.#memory.bounds['embedded.maxQueueBytes'],
        { event: (event) => toldOfDaemon?.embedded.event(event) },
        {
          admit: this.#connections.admit,
          onError: (error) => this.#acceptFailed(error, 'the embedded daemon can accept no connection'),
        },
      );
    }
    this.#goOn();
    const daemons = this.#parts.embedded ? [this.#parts.embedded.address] : config.daemon.addresses;

    const settings = mailboxSettings(config, this.#memory.bounds, daemons, this.#parts.embedded?.names);
    const privateNames = settings.names && {
      seed: config.mailbox.privateNameSeed,
      prefix: settings.names.prefix,
    };
    if (privateNames) logger.info(privateNames, 'private names are made of the seed');
    const metrics = this.#createMetrics(daemons, privateNames);
    const log = logEvents(logger);
    this.#parts.log = log;
    const events = createEvents([metrics.events, log]);
    toldOfDaemon = events;
    this.#connections.onRefused = (about) => events.limits.reached('process.openFiles', about);
    const access = await Access.open(config, events.security);
    this.#parts.access = access;
    this.#goOn();
    const registry = new MailboxRegistry({
      settings,
      encode: encodeEvent,
      telemetry: events.mailbox,
    });
    this.#parts.registry = registry;
    this.#parts.monitor = this.#createMonitor(daemons, events);
    this.#parts.grpc = this.#createGrpcServer(registry, events, access);

    if (config.admin.listen !== 'off') {
      if (!access.hasAdmin) this.#warnOfOpenPages();
      this.#parts.admin = new AdminServer({
        pages: {
          checks: probeChecks(this.#facts),
          metrics: () => metrics.page(),
          onError: (error) =>
            this.#logThrottled('error', 'the metrics could not be collected', { err: error }),
          quit: config.admin.quitquitquit ? this.#quitPage(access, events) : undefined,
          drop: config.admin.failureInjection ? this.#dropPage(registry, access, events) : undefined,
        },
        health: this.#health,
        telemetry: events.grpc,
        limits: this.#connections.adminLimits,
        onEvicted: (peer) => events.limits.reached('admin.connections', { peer }),
        onAcceptError: (error) => this.#acceptFailed(error, 'the admin port can accept no connection'),
      });
      await this.#parts.admin.listen(config.admin.listen);
      this.#goOn();
    }
    await this.#parts.grpc.listen(grpcAddresses(config));
    this.#goOn();
    // Not before: a start that fails says why, and nothing else.
    reportMemory(this.#memory, config.embedded.enabled, logger);
    this.#stage = 'serving';
    this.#daemonWait.begin();
    const connected = this.#parts.monitor.start();
    void connected.then(this.#onDaemonAsked);
    // The embedded daemon is there: whoever waits for start() may use it at once.
    if (this.#parts.embedded) await connected;
    this.#refresh();
  }

  async #stop(delayMs: number, graceMs: number): Promise<void> {
    // A start that is under way ends at its next step; what it has opened until then is closed here.
    if (this.#stage === 'starting') await this.#started?.catch(() => {});
    const { registry, grpc, admin, monitor, embedded } = this.#parts;
    // A start that failed has nothing to tell but why.
    const tell: Logger['info'] =
      this.#stage === 'starting' ? () => {} : this.#dependencies.logger.info.bind(this.#dependencies.logger);
    if (delayMs > 0 && this.#stage === 'serving') {
      this.#stage = 'delaying';
      this.#refresh();
      tell({ delayMs }, 'told to stop: serving on for the shutdown delay');
      await this.#delay.pass(delayMs);
    }
    this.#stage = 'draining';
    this.#daemonWait.end();
    this.#refresh();
    tell({ mailboxes: registry?.size ?? 0, graceMs }, 'draining');
    await registry?.drain({ graceMs });
    await grpc?.stop({ graceMs: CLOSE_MS });
    this.#parts.access?.stop();
    await monitor?.stop();
    await embedded?.stop();
    this.#stage = 'stopped';
    await admin?.stop({ graceMs: CLOSE_MS });
    this.#logThrottle.flush();
    this.#parts.log?.flush();
    tell('stopped');
    this.#onDaemonAsked();
    this.#onStopped();
  }

  /** A local proxy that adds no header looks like a local client. */
  #warnOfOpenPages(): void {
    const { quitquitquit, failureInjection } = this.#config.admin;
    const pages = [
      ...(quitquitquit ? ['/quitquitquit'] : []),
      ...(failureInjection ? ['/drop-mailbox'] : []),
    ];
    if (pages.length === 0) return;
    this.#dependencies.logger.warn(
      { pages },
      'without an admin token every process on this machine or in this pod may use these pages; set admin.token or admin.tokenFile',
    );
  }

  #quitPage(access: Access, events: SidecarEvents): QuitPage {
    return {
      ...pageAccess('/quitquitquit', access, events),
      quit: () => {
        if (this.#stage !== 'draining') this.#dependencies.logger.info('told to stop by /quitquitquit');
        // The admin port listens a moment before the start is over. A start that fails stops by itself.
        this.#started?.then(
          () => this.stop(),
          () => {},
        );
      },
    };
  }

  #dropPage(registry: MailboxRegistry, access: Access, events: SidecarEvents): DropPage {
    return {
      ...pageAccess('/drop-mailbox', access, events),
      drop: (mailbox) => {
        const outcome = registry.drop(mailbox);
        this.#logThrottled('warn', "told by /drop-mailbox to cut a mailbox's connection", { outcome });
        return outcome;
      },
    };
  }

  #reportWait(waitedMs: number): void {
    const { daemon } = this;
    if (daemon.up) return;
    const { addresses } = this.#config.daemon;
    const waited = `${Math.round(waitedMs / 1000)} s`;
    const why = daemon.error ? `: ${daemon.error.message}` : '';
    this.#dependencies.logger.warn(
      { daemons: this.#parts.embedded ? [this.#parts.embedded.address] : addresses, waited },
      `still waiting for the Spread daemon, clients cannot open mailboxes${why}`,
    );
  }

  /** Peers can cause it as often as they like, with connections that take all file descriptors. */
  #acceptFailed(error: Error, message: string): void {
    this.#logThrottled('error', message, { err: error });
  }

  /** For lines that clients can cause as often as they like; `message` is one of a few. */
  #logThrottled(level: 'warn' | 'error', message: string, fields: object): void {
    const { logger } = this.#dependencies;
    const more = this.#logThrottle.admit(message, leftOutLines(logger, level, message));
    if (more) logger[level]({ ...fields, ...more }, message);
  }

  /** Tells health what is so now. */
  #refresh(): void {
    this.#wasReady ||= this.ready;
    this.#health.setServing(isServing(this.#facts));
  }

  #createMonitor(daemons: readonly string[], events: SidecarEvents): DaemonMonitor {
    const { connectTimeout, monitorBackoffMin, monitorBackoffMax } = this.#config.daemon;
    const auth = [this.#config.daemon.auth === 'ip' ? IP_AUTH : NULL_AUTH];
    return new DaemonMonitor({
      daemons,
      connect: (options) => Session.connect({ ...options, auth }),
      connectTimeoutMs: connectTimeout,
      backoff: { initialMs: monitorBackoffMin, maxMs: monitorBackoffMax },
      probe: DAEMON_PROBE,
      onRoundTrip: (seconds) => events.daemon.roundTrip(seconds),
      onChange: (status) => {
        if (status.up) {
          const { major, minor, patch } = status.version;
          events.daemon.up(status.daemon, `${major}.${minor}.${patch}`);
          this.#daemonWait.end();
        } else {
          this.#daemonWait.begin();
          events.daemon.down(status.error);
        }
        this.#refresh();
      },
    });
  }

  #createGrpcServer(registry: MailboxRegistry, events: SidecarEvents, access: Access): GrpcServer {
    const config = this.#config;
    const { version } = this.#dependencies;
    const failures = new FailureTranslator(
      (error, logId) => {
        events.mailbox.defect(error);
        this.#logThrottled('error', 'the defect above was answered with INTERNAL', { logId });
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
      limits: {
        ...DEFAULT_SERVICE_LIMITS,
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
        const status = this.daemon;
        const daemon = status.up ? { version: status.version, address: status.daemon } : undefined;
        return { sidecar: version, daemon, embeddedDaemon: config.embedded.enabled };
      },
    });
    const server = new GrpcServer({
      services: [service, ...this.#commonServices()],
      tls: access.tls,
      gate: access.gate,
      onRefused: access.onRefused,
      telemetry: events.grpc,
      admit: this.#connections.admit,
      onAcceptError: (error) => this.#acceptFailed(error, 'the gRPC server can accept no connection'),
      transport: transportOptions(config, this.#memory.bounds),
      calls: callBounds(config, this.#memory.bounds),
      sweep: sweepBounds(config, this.#memory.bounds),
      sessions: sessionBounds(config),
      onLimit: (limit, about) => events.limits.reached(limit, about),
    });
    access.onClientTokens = () => server.recheckCalls();
    return server;
  }

  #commonServices(): ServiceRegistration[] {
    const { reflection: wanted } = this.#config.grpc;
    return [this.#health.registration(), ...(wanted ? reflection() : [])];
  }

  #createMetrics(daemons: readonly string[], privateNames: MetricsOptions['privateNames']): Metrics {
    const { mailbox, embedded } = this.#config;
    const methods = new MethodTable();
    methods.add(MAILBOX_DEFINITION);
    for (const { definition } of this.#commonServices()) methods.add(definition);
    return createMetrics({
      version: this.#dependencies.version,
      privateNames,
      methods: methods.all(),
      spreadCodes: ERROR_TABLE.map(({ code }) => code),
      daemons,
      noticeMark: mailbox.slowNotice,
      totalQueueBytes: this.#memory.bounds['mailbox.totalQueueMaxBytes'],
      embeddedDaemon: embedded.enabled,
      sample: () => ({
        totals: this.#parts.registry!.totals(),
        mailboxes: this.#parts.registry!.statuses(),
        retainedBytes: this.#parts.registry!.sizes().retainedBytes,
        embeddedDaemon: this.#parts.embedded?.daemon.counters(),
      }),
    });
  }
}

const pageAccess = (page: string, access: Access, events: SidecarEvents): PageAccess => ({
  credential: access.hasAdmin ? access.admin : undefined,
  onRefused: (why, peer) => events.security.refused('ADMIN_ONLY', { page, why, peer }),
});

function grpcAddresses({ grpc }: SidecarConfig): ListenAddress[] {
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
