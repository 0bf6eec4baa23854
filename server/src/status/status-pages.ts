import type { JsonPage } from '../admin/json-pages.js';
import type { EventRecorder } from './event-recorder.js';
import { checkNames, wholeNumber } from './query.js';

/** The state of the sidecar at one moment. */
export interface SidecarState {
  readonly stage: string;
  readonly ready: boolean;
  /** The checks behind `/readyz`. */
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly message?: string }[];
  readonly daemon: { readonly up: boolean; readonly address: string | null; readonly version: string | null };
  readonly mailboxes: number;
  readonly totals: {
    readonly receivedEvents: number;
    readonly sentMessages: number;
    readonly waitingEvents: number;
    readonly waitingBytes: number;
  };
}

/** When the sidecar started, by both clocks. */
export class Start {
  readonly at = new Date().toISOString();
  readonly #atMs = performance.now();

  get uptimeMs(): number {
    return Math.round(performance.now() - this.#atMs);
  }
}

/** `/status.json`. */
export function statusPage(
  version: string,
  start: Start,
  state: () => SidecarState,
  recorder: EventRecorder,
): JsonPage {
  return (query) => {
    checkNames(query, []);
    const { stage, ready, checks, daemon, mailboxes, totals } = state();
    const history = recorder.daemonChanges.after(0).map(({ at, kind, sequence: _, ...about }) => ({
      at,
      up: kind === 'up',
      ...about,
    }));
    return {
      version,
      startedAt: start.at,
      uptimeMs: start.uptimeMs,
      stage,
      ready,
      checks,
      mailboxes,
      totals,
      daemon: { ...daemon, history },
    };
  };
}

/** `/events.json`. */
export function eventsPage(start: Start, { events }: EventRecorder): JsonPage {
  return (query) => {
    checkNames(query, ['after']);
    const bounds = { least: 0, most: Number.MAX_SAFE_INTEGER, otherwise: 0 };
    const after = wholeNumber(query, 'after', bounds);
    return { startedAt: start.at, lastSequence: events.lastSequence, events: events.after(after) };
  };
}
