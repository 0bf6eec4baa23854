import { runChecks } from '../admin/checks.js';
import type { JsonPage } from '../admin/json-pages.js';
import { type ConfigSources, listConfig, type SidecarConfig } from '../config/index.js';
import type { MailboxRegistry } from '../mailbox/registry/registry.js';
import type { EventRecorder } from '../status/event-recorder.js';
import { groupsPage } from '../status/groups-page.js';
import { mailboxesPage } from '../status/mailboxes-page.js';
import { checkNames } from '../status/query.js';
import { eventsPage, type SidecarState, type Start, statusPage } from '../status/status-pages.js';
import type { MemoryBounds } from './memory-plan.js';
import { isReady, type ProbeFacts, probeChecks } from './probes.js';

/** The parts of which the pages show the state. */
export interface JsonPagesOptions {
  readonly config: SidecarConfig;
  readonly configSources: ConfigSources | undefined;
  readonly bounds: MemoryBounds;
  readonly version: string;
  readonly start: Start;
  readonly facts: ProbeFacts;
  readonly registry: MailboxRegistry;
  readonly recorder: EventRecorder;
}

/** The JSON pages of the admin port, by path. docs/status.md describes their fields. */
export function jsonPages(options: JsonPagesOptions): ReadonlyMap<string, JsonPage> {
  const { version, start, facts, registry, recorder, config, configSources, bounds } = options;
  const inspected = () => registry.inspected();
  const pages = new Map<string, JsonPage>([
    ['/status.json', statusPage(version, start, () => stateOf(facts, registry), recorder)],
    ['/mailboxes.json', mailboxesPage(inspected)],
    ['/groups.json', groupsPage(inspected)],
    ['/events.json', eventsPage(start, recorder)],
  ]);
  if (configSources !== undefined) pages.set('/config.json', configPage(config, configSources, bounds));
  return pages;
}

function stateOf(facts: ProbeFacts, registry: MailboxRegistry): SidecarState {
  const status = facts.daemon();
  const { received, messagesSent } = registry.totals();
  const { waitingEvents, waitingBytes } = registry.sizes();
  return {
    stage: facts.stage(),
    ready: isReady(facts),
    checks: runChecks(probeChecks(facts).readyz).checks,
    mailboxes: registry.size,
    totals: {
      receivedEvents: Object.values(received).reduce((sum, events) => sum + events, 0),
      sentMessages: messagesSent,
      waitingEvents,
      waitingBytes,
    },
    daemon: status.up
      ? {
          up: true,
          address: status.daemon,
          version: `${status.version.major}.${status.version.minor}.${status.version.patch}`,
        }
      : { up: false, address: null, version: null },
  };
}

/** The configuration does not change, so the page is made once. */
function configPage(config: SidecarConfig, sources: ConfigSources, bounds: MemoryBounds): JsonPage {
  const derived: Readonly<Record<string, number>> = { ...bounds };
  const options = listConfig(config, sources).map((option) =>
    option.value === 'auto' && derived[option.key] !== undefined
      ? { ...option, effective: derived[option.key] }
      : option,
  );
  return (query) => {
    checkNames(query, []);
    return { options };
  };
}
