import { join } from 'node:path';
import { type ChannelOptions, credentials } from '@grpc/grpc-js';
import { MailboxServiceClient } from 'spread-sidecar-proto';
import { onTestFinished } from 'vitest';
import { EmbeddedDaemon, type EmbeddedDaemonOptions, listen } from '../../../server/src/daemon/index.js';
import { AdminCredential } from '../../../server/src/grpc/calls/credentials.js';
import { type GrpcTelemetry, NO_TELEMETRY } from '../../../server/src/grpc/calls/methods.js';
import { eventEncoder } from '../../../server/src/grpc/codec/event-encoder.js';
import { FailureTranslator } from '../../../server/src/grpc/codec/failure.js';
import type { Tracing } from '../../../server/src/grpc/codec/tracing.js';
import type { ServiceLimits, VersionFacts } from '../../../server/src/grpc/handlers/service-context.js';
import { GrpcServer, type TransportOptions } from '../../../server/src/grpc/server.js';
import { HealthBoard } from '../../../server/src/grpc/services/health.js';
import { MAILBOX_SERVICE, mailboxService } from '../../../server/src/grpc/services/mailbox-service.js';
import { reflection } from '../../../server/src/grpc/services/reflection.js';
import { MailboxRegistry } from '../../../server/src/mailbox/registry/registry.js';
import type { MailboxSettings } from '../../../server/src/mailbox/settings.js';
import { formatListenAddress } from '../../../server/src/net/listen-address.js';
import { CLIENT_VERSION } from '../../../server/src/spread/wire/index.js';
import { temporaryFolder } from '../tmp.js';
import { boundsWith } from './grpc-bounds.js';

/** The default limits of a sidecar. */
const DEFAULT_SERVICE_LIMITS: ServiceLimits = {
  maxBatchBytes: 256 * 1024,
  maxBytesInFlight: 512 * 1024,
  leaseMinMs: 1000,
  leaseMaxMs: 3_600_000,
  giveUpMinMs: 100,
  giveUpMaxMs: 86_400_000,
  heartbeatMinMs: 100,
  heartbeatDefaultMs: undefined,
  maxBatchMessages: 10_000,
};

export interface SidecarFixtureOptions {
  /** Default: an embedded daemon of this fixture. */
  daemons?: string[];
  /** Further daemons that clients may name. */
  allow?: string[];
  embedded?: EmbeddedDaemonOptions;
  mailbox?: Partial<MailboxSettings>;
  limits?: Partial<ServiceLimits>;
  transport?: Partial<TransportOptions>;
  adminTokens?: string[];
  /** Whether messages may have headers. Default: on. */
  headers?: 'on' | 'off';
  telemetry?: GrpcTelemetry;
  tracing?: Tracing;
  /** Also listens on a Unix socket. */
  unix?: boolean;
}

export interface RunningSidecar {
  /** The target of the TCP address, for any gRPC client. */
  readonly target: string;
  readonly unixTarget: string | undefined;
  /** The Spread name of the daemon. */
  readonly daemonAddress: string;
  readonly daemon: EmbeddedDaemon | undefined;
  readonly registry: MailboxRegistry;
  readonly server: GrpcServer;
  readonly health: HealthBoard;
  /** A client of the TCP address. */
  readonly client: MailboxServiceClient;
  /** The reported unexpected errors. stop() fails on any, so that most tests need not check them. */
  readonly defects: unknown[];
  /** Another client, on a separate connection. */
  newClient(target?: string, options?: ChannelOptions): MailboxServiceClient;
  stop(): Promise<void>;
}

const MIB = 1024 * 1024;

/** The defaults of the configuration. */
export const MAILBOX_SETTINGS: MailboxSettings = {
  daemons: [],
  allowedDaemons: [],
  connectTimeoutMs: 5000,
  disconnectTimeoutMs: 1000,
  reconnect: {
    backoff: { initialMs: 20, maxMs: 200 },
    giveUp: { defaultMs: 60_000, minMs: 100, maxMs: 86_400_000 },
    nameWaitMs: 10_000,
  },
  lease: { defaultMs: 30_000, minMs: 1000, maxMs: 3_600_000 },
  queue: {
    maxEvents: { default: 1_000_000, max: 1_000_000 },
    maxBytes: { default: 64 * MIB, max: 64 * MIB },
    replayBytes: { default: 4 * MIB, max: 4 * MIB },
    overflow: 'PAUSE',
    softLimit: { fraction: 0.5, timeMs: undefined },
  },
  noticeMark: 0.8,
  maxMailboxes: 1000,
  totalQueueBytes: 1024 * MIB,
  maxSendQueueBytes: 4 * MIB,
  maxGroups: 1000,
  maxGroupsPerMessage: 43,
  maxMessageBytes: 143_151,
};

/**
 * A sidecar's gRPC server on a free port, with a real registry and a real daemon. It stops at the end of the
 * running test. Outside of a test, call stop().
 */
export async function startSidecar(options: SidecarFixtureOptions = {}): Promise<RunningSidecar> {
  const embedded = options.daemons ? undefined : await startDaemon(options.embedded);
  const daemons = options.daemons ?? [embedded!.address];
  const defects: unknown[] = [];
  const registry = new MailboxRegistry({
    settings: { ...MAILBOX_SETTINGS, daemons, allowedDaemons: options.allow ?? [], ...options.mailbox },
    encode: eventEncoder(options.headers ?? 'on'),
  });
  const health = new HealthBoard([MAILBOX_SERVICE]);
  const version: VersionFacts = {
    sidecar: '0.0.0-test',
    daemon: { version: CLIENT_VERSION, address: daemons[0]! },
    embeddedDaemon: embedded !== undefined,
  };
  const server = new GrpcServer({
    services: [
      mailboxService({
        registry,
        failures: new FailureTranslator((error) => defects.push(error)),
        admin: new AdminCredential(options.adminTokens ?? []),
        headers: options.headers ?? 'on',
        telemetry: options.telemetry ?? NO_TELEMETRY,
        tracing: options.tracing,
        limits: { ...DEFAULT_SERVICE_LIMITS, ...options.limits },
        version: () => version,
      }),
      health.registration(),
      ...reflection(),
    ],
    bounds: boundsWith(options.transport ?? {}),
    telemetry: options.telemetry,
    tracing: options.tracing,
  });
  const path = options.unix ? join(temporaryFolder(), 'grpc') : undefined;
  const [tcp, unix] = await server.listen([
    { kind: 'tcp', host: '127.0.0.1', port: 0 },
    ...(path === undefined ? [] : [{ kind: 'unix' as const, path }]),
  ]);
  health.setServing(true);
  const target = formatListenAddress(tcp!);
  const clients: MailboxServiceClient[] = [];
  const newClient = (to = target, channelOptions: ChannelOptions = {}) => {
    const client = new MailboxServiceClient(to, credentials.createInsecure(), {
      // Otherwise clients of one process share a connection.
      'grpc.use_local_subchannel_pool': 1,
      ...channelOptions,
    });
    clients.push(client);
    return client;
  };
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    for (const client of clients) client.close();
    await registry.drain({ graceMs: 0 });
    await server.stop({ graceMs: 0 });
    await embedded?.stop();
    if (defects.length > 0) throw new AggregateError(defects, 'the sidecar reported defects');
  };
  const running: RunningSidecar = {
    target,
    unixTarget: unix && formatListenAddress(unix),
    daemonAddress: daemons[0]!,
    daemon: embedded?.daemon,
    registry,
    server,
    health,
    client: newClient(),
    defects,
    newClient,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
  atEndOfTest(running.stop);
  return running;
}

async function startDaemon(options: EmbeddedDaemonOptions = {}) {
  const daemon = new EmbeddedDaemon(options);
  const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 } });
  const stop = async () => {
    await listening.close();
    await daemon.close();
  };
  return { daemon, address: `${listening.tcpPort}@127.0.0.1`, stop };
}

/** Outside of a test, such as in beforeAll, there is no end to wait for. */
function atEndOfTest(action: () => Promise<void>): void {
  try {
    onTestFinished(action);
  } catch (error) {
    if (!/inside a test/.test(String(error))) throw error;
  }
}
