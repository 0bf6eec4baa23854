import type { SidecarConfig } from '../config/index.js';
import { MethodTable } from '../grpc/calls/methods.js';
import type { ServiceRegistration } from '../grpc/calls/service-registration.js';
import { SPREAD_ERRORS } from '../grpc/codec/error-table.js';
import { CONTRACT, MAILBOX_DEFINITION } from '../grpc/services/mailbox-service.js';
import type { MailboxRegistry } from '../mailbox/registry/registry.js';
import { createMetrics, type Metrics, type MetricsOptions } from '../observability/index.js';
import { formatAddress, parseAddress } from '../spread/address.js';
import type { RunningDaemon } from './embedded.js';
import type { MemoryPlan } from './memory-plan.js';

export interface SidecarMetricsOptions {
  readonly config: SidecarConfig;
  readonly version: string;
  readonly memory: MemoryPlan;
  /** Services beside the contract's. */
  readonly services: readonly ServiceRegistration[];
  /** Spread names of the default daemons. */
  readonly daemons: readonly string[];
  readonly privateNames: MetricsOptions['privateNames'];
  /** Sampled at each scrape, when the registry exists. */
  readonly parts: { readonly registry?: MailboxRegistry; readonly embedded?: RunningDaemon };
}

/** The metrics of a sidecar, which sample its parts at each scrape. */
export function sidecarMetrics(options: SidecarMetricsOptions): Metrics {
  const { config, version, memory, services, daemons, privateNames, parts } = options;
  const methods = new MethodTable();
  methods.add(MAILBOX_DEFINITION);
  for (const { definition } of services) methods.add(definition);
  return createMetrics({
    version,
    contract: CONTRACT,
    privateNames,
    methods: methods.all(),
    spreadCodes: Object.keys(SPREAD_ERRORS),
    // In the monitor's notation: `/tmp/4803` and `4803` are one daemon.
    daemons: daemons.map((name) => formatAddress(parseAddress(name))),
    noticeMark: config.mailbox.slowNotice,
    totalQueueBytes: memory.bounds['mailbox.totalQueueMaxBytes'],
    embeddedDaemon: config.embedded.enabled,
    sample: () => ({
      totals: parts.registry!.totals(),
      mailboxes: parts.registry!.statuses(),
      retainedBytes: parts.registry!.sizes().retainedBytes,
      embeddedDaemon: parts.embedded?.daemon.counters(),
    }),
  });
}
