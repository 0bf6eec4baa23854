import type { ConfigSources, SidecarConfig } from './config/index.js';
import { HealthBoard } from './grpc/services/health.js';
import { MAILBOX_SERVICE } from './grpc/services/mailbox-service.js';
import type { DaemonStatus } from './mailbox/connection/daemon-monitor.js';
import { type ProcessMemory, processMemory } from './memory/process-memory.js';
import { openFilesLimit } from './net/connection-budget.js';
import { formatListenAddress } from './net/listen-address.js';
import { type Logger, ThrottledLog } from './observability/index.js';
import { Assembly } from './sidecar/assembly.js';
import { planConnections } from './sidecar/connection-plan.js';
import { DaemonWait } from './sidecar/daemon-wait.js';
import { type MemoryPlan, planMemory } from './sidecar/memory-plan.js';
import { reportMemory } from './sidecar/memory-report.js';
import { isReady, isServing, type LifeStage, type ProbeFacts } from './sidecar/probes.js';
import { ShutdownDelay } from './sidecar/shutdown-delay.js';

/** The environment of a sidecar. */
export interface SidecarDependencies {
  readonly logger: Logger;
  /** The release, such as `0.1.0`. */
  readonly version: string;
  /** The origin of each value of the configuration. Default: unknown, and there is no /config.json. */
  readonly configSources?: ConfigSources;
  /** The variables of OpenTelemetry, such as `OTEL_SERVICE_NAME`. Default: none. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The memory that the process may use. Default: the limits of the container, the machine and V8. */
  readonly memory?: ProcessMemory;
  /** The process's limit of open files. Default: that of the system. */
  readonly openFiles?: number;
}

/** The real listen addresses of a sidecar, with the selected ports where 0 was requested. */
export interface SidecarAddresses {
  /** Targets for gRPC clients: `127.0.0.1:4813`, `unix:/run/spread.sock`. */
  readonly grpc: readonly string[];
  /** host:port. */
  readonly admin?: string;
  /** Spread names of the embedded daemon. */
  readonly daemon?: { readonly tcp?: string; readonly unix?: string };
}

export interface Sidecar {
  readonly addresses: SidecarAddresses;
  /** True if clients can start calls: it listens, the default daemon is up, and no stop was requested. */
  readonly ready: boolean;
  /** The state of the default daemon. */
  readonly daemon: DaemonStatus;
  /** Resolves when the first attempt to reach the default daemon has succeeded or failed. */
  readonly daemonAsked: Promise<void>;
  /** Resolves when the sidecar has stopped, after stop() or `POST /quitquitquit`. */
  readonly stopped: Promise<void>;
  /**
   * Starts all parts. Resolves when the sidecar listens. A real daemon may still be down then, and `ready` false.
   * Rejects with ListenError, and then leaves nothing open. Resolves without listening when stop() was called
   * before or meanwhile. A second call returns the outcome of the first.
   */
  start(): Promise<void>;
  /**
   * Continues to serve for up to `delayMs` (default 0; see ShutdownDelay), then drains and stops: health
   * NOT_SERVING, no new mailboxes, Receive streams get queued events for up to `graceMs` (default: drain.grace),
   * mailboxes disconnect from their daemon. Never rejects. A second call only ends the first one's delay, unless
   * it has a delay itself.
   */
  stop(options?: StopOptions): Promise<void>;
}

export interface StopOptions {
  readonly delayMs?: number;
  readonly graceMs?: number;
}

/** Time for ended streams to send their status. */
const CLOSE_MS = 500;

/** Number of lines in ten seconds, of each kind that clients can cause. */
const LINES_OF_A_KIND = 3;

/** stop() was called during the start. */
class StoppedMeanwhile extends Error {}

/** Creates a sidecar. It does nothing before its start. */
export function createSidecar(config: SidecarConfig, dependencies: SidecarDependencies): Sidecar {
  return new SidecarLifecycle(config, dependencies);
}

/** Starts and stops the parts in order, and knows the phase between. */
class SidecarLifecycle implements Sidecar {
  readonly #config: SidecarConfig;
  readonly #logger: Logger;
  readonly #memory: MemoryPlan;
  readonly #health = new HealthBoard([MAILBOX_SERVICE]);
  readonly #parts: Assembly;
  #stage: LifeStage = 'starting';
  #wasReady = false;
  #started: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  readonly #delay: ShutdownDelay;
  readonly #throttledLog: ThrottledLog;
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
    const { logger, version, configSources, environment = {} } = dependencies;
    this.#logger = logger;
    this.#throttledLog = new ThrottledLog(logger, LINES_OF_A_KIND);
    const openFiles = dependencies.openFiles ?? openFilesLimit();
    this.#memory = planMemory(config, dependencies.memory ?? processMemory(), openFiles);
    this.#parts = new Assembly({
      config,
      configSources,
      environment,
      version,
      logger,
      throttledLog: this.#throttledLog,
      memory: this.#memory,
      connections: planConnections(() => this.#parts.registry?.size ?? 0, openFiles),
      health: this.#health,
      facts: this.#facts,
      onDaemonChange: (status) => this.#onDaemonChange(status),
      onQuit: () => this.#quit(),
    });
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

  /** Checks between the steps of the start. */
  #throwIfStopped(): void {
    if (this.#stopping !== undefined) throw new StoppedMeanwhile();
  }

  stop({ delayMs = 0, graceMs = this.#config.drain.grace }: StopOptions = {}): Promise<void> {
    if (delayMs === 0) this.#delay.end();
    this.#stopping ??= this.#stop(delayMs, graceMs);
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const parts = this.#parts;
    const { admin: adminConfig } = this.#config;
    this.#throwIfStopped();
    await parts.startEmbeddedDaemon();
    this.#throwIfStopped();
    await parts.build();
    this.#throwIfStopped();
    if (adminConfig.listen !== 'off') await parts.admin!.listen(adminConfig.listen);
    this.#throwIfStopped();
    await parts.grpc!.listen(parts.grpcAddresses);
    this.#throwIfStopped();
    // Set only now: a failed start reports only its reason.
    reportMemory(this.#memory, this.#config.embedded.enabled, this.#logger);
    this.#stage = 'serving';
    this.#daemonWait.begin();
    const connected = parts.monitor!.start();
    void connected.then(this.#onDaemonAsked);
    // The embedded daemon is ready, so callers of start() can use it immediately.
    if (parts.embedded) await connected;
    this.#refresh();
  }

  async #stop(delayMs: number, graceMs: number): Promise<void> {
    // An active start ends at its next step. Its resources are closed here.
    if (this.#stage === 'starting') await this.#started?.catch(() => {});
    const { registry, grpc, admin, monitor, embedded, tracing } = this.#parts;
    // The error of a failed start goes to the caller of start().
    const log: Logger['info'] = this.#stage === 'starting' ? () => {} : this.#logger.info.bind(this.#logger);
    if (delayMs > 0 && this.#stage === 'serving') {
      this.#stage = 'delaying';
      this.#refresh();
      log({ delayMs }, 'stop requested: the sidecar continues to serve clients for the shutdown delay');
      await this.#delay.pass(delayMs);
    }
    this.#stage = 'draining';
    const flushBy = performance.now() + graceMs;
    this.#daemonWait.end();
    this.#refresh();
    log({ mailboxes: registry?.size ?? 0, graceMs }, 'draining');
    await registry?.drain({ graceMs });
    await grpc?.stop({ graceMs: CLOSE_MS });
    this.#parts.access?.stop();
    await tracing?.shutdown(Math.max(CLOSE_MS, flushBy - performance.now()));
    await monitor?.stop();
    await embedded?.stop();
    this.#stage = 'stopped';
    await admin?.stop({ graceMs: CLOSE_MS });
    this.#throttledLog.flush();
    this.#parts.log?.flush();
    log('stopped');
    this.#onDaemonAsked();
    this.#onStopped();
  }

  /** A request `POST /quitquitquit` arrived. */
  #quit(): void {
    if (this.#stage !== 'draining') this.#logger.info('stop requested by /quitquitquit');
    // The admin port listens shortly before the end of the start. A failed start stops by itself.
    this.#started?.then(
      () => this.stop(),
      () => {},
    );
  }

  #onDaemonChange(status: DaemonStatus): void {
    if (status.up) this.#daemonWait.end();
    else this.#daemonWait.begin();
    this.#refresh();
  }

  #reportWait(waitedMs: number): void {
    const { daemon } = this;
    if (daemon.up) return;
    const why = daemon.error ? `: ${daemon.error.message}` : '';
    this.#logger.warn(
      { daemons: this.#parts.daemons, waitedSeconds: Math.round(waitedMs / 1000) },
      `still waiting for the Spread daemon; clients cannot open mailboxes${why}`,
    );
  }

  /** Updates the health status. */
  #refresh(): void {
    this.#wasReady ||= this.ready;
    this.#health.setServing(isServing(this.#facts));
  }
}
