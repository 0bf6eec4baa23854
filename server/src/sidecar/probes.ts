import type { CheckResult, ProbeChecks } from '../admin/checks.js';
import type { DaemonStatus } from '../mailbox/connection/daemon-monitor.js';

/** The phase of a sidecar. In `delaying`, a stop was requested, and it serves clients for its shutdown delay. */
export type LifeStage = 'starting' | 'serving' | 'delaying' | 'draining' | 'stopped';

/** The inputs of the probes. Each is cheap, because probes may come every second. */
export interface ProbeFacts {
  stage(): LifeStage;
  /** True if it has been ready since its start. */
  wasReady(): boolean;
  daemon(): DaemonStatus;
  /** Socket files of this sidecar that were removed or replaced. */
  lostSocketFiles(): readonly string[];
}

/**
 * True when the sidecar can serve calls now, as gRPC health reports. Clients that check health send no calls
 * otherwise.
 */
export function isServing(facts: ProbeFacts): boolean {
  const stage = facts.stage();
  return (stage === 'serving' || stage === 'delaying') && facts.daemon().up;
}

/** True when clients should start calls, as /readyz reports. */
export function isReady(facts: ProbeFacts): boolean {
  return facts.stage() === 'serving' && facts.daemon().up && facts.lostSocketFiles().length === 0;
}

/** The checks behind /livez, /readyz and /startupz. */
export function probeChecks(facts: ProbeFacts): ProbeChecks {
  return {
    livez: [{ name: 'process', check: () => ({ ok: true }) }],
    readyz: [
      { name: 'grpc', check: () => grpcCheck(facts.stage()) },
      { name: 'daemon', check: () => daemonCheck(facts.daemon()) },
      { name: 'sockets', check: () => socketCheck(facts.lostSocketFiles()) },
    ],
    startupz: [
      {
        name: 'started',
        check: () =>
          facts.wasReady()
            ? { ok: true }
            : { ok: false, message: 'the sidecar has not been ready since its start' },
      },
    ],
  };
}

function grpcCheck(stage: LifeStage): CheckResult {
  if (stage === 'serving') return { ok: true };
  const messages = {
    starting: 'the sidecar does not listen yet',
    delaying: 'the sidecar is about to shut down',
    draining: 'the sidecar is shutting down',
    stopped: 'the sidecar has stopped',
  };
  return { ok: false, message: messages[stage] };
}

function socketCheck(lost: readonly string[]): CheckResult {
  if (lost.length === 0) return { ok: true };
  return { ok: false, message: `${lost.join(', ')} was removed or replaced; restart the sidecar` };
}

function daemonCheck(status: DaemonStatus): CheckResult {
  if (status.up) return { ok: true, message: status.daemon };
  return { ok: false, message: status.error?.message ?? 'no response from the default daemon yet' };
}
