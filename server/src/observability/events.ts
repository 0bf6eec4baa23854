// The events of the sidecar for metrics and log. The parts declare their own reports. This file adds the reports
// of the sidecar itself and passes each report to every subscriber. Events of every message are not reported:
// mailboxes count them, and metrics read the counts (metrics-sample.ts). No subscriber may throw.
import type { DaemonEvent } from '../daemon/events.js';
import { type GrpcTelemetry, NO_TELEMETRY } from '../grpc/calls/methods.js';
import { type MailboxTelemetry, SILENT } from '../mailbox/telemetry.js';
import type { LogFields } from './log/log-fields.js';

export interface GrpcEvents extends GrpcTelemetry {
  /** The sidecar responded to a call with a Spread error, such as ILLEGAL_GROUP. */
  spreadError(code: string): void;
}

export interface DaemonEvents {
  /** The default daemon is reachable at this Spread name. */
  up(daemon: string, version: string): void;
  /** The default daemon became unreachable. */
  down(error: Error | undefined): void;
  /** A message that the sidecar sent to itself came back from the default daemon after this number of seconds. */
  roundTrip(seconds: number): void;
}

export interface EmbeddedDaemonEvents {
  event(event: DaemonEvent): void;
}

/** What is known about a rejected call or connection. */
export type CallerFacts = Pick<
  LogFields,
  'peer' | 'method' | 'page' | 'why' | 'openFiles' | 'mailbox' | 'privateGroup' | 'daemon'
>;

/** Files that are read again when they change. */
export type CredentialKind = 'tls' | 'client-tokens' | 'admin-tokens';

export interface SecurityEvents {
  /**
   * A call or connection was rejected. `reason` is the contract's for a call (CREDENTIAL_MISSING,
   * CREDENTIAL_INVALID, ADMIN_ONLY), FOREIGN_MAILBOX for another client's mailbox, `TLS_…` for a handshake.
   * `about` contains no secret.
   */
  refused(reason: string, about: CallerFacts): void;
  /** The current certificates or tokens of the files are in use. `expiresAtMs` is the server certificate's. */
  loaded(kind: CredentialKind, facts: { readonly expiresAtMs?: number; readonly count?: number }): void;
  /** A changed file is not usable, so the previous content stays in use. */
  reloadFailed(kind: CredentialKind, error: Error): void;
}

export interface LimitEvents {
  /**
   * A client reached a limit. `limit` is its name in docs/limits.md, such as `limits.maxCalls`. Unauthenticated
   * clients can cause this event at any rate. `about` contains no secret.
   */
  reached(limit: string, about: CallerFacts): void;
}

/** All events. */
export interface SidecarEvents {
  readonly mailbox: MailboxTelemetry;
  readonly grpc: GrpcEvents;
  readonly daemon: DaemonEvents;
  readonly embedded: EmbeddedDaemonEvents;
  readonly security: SecurityEvents;
  readonly limits: LimitEvents;
}

/** A subscriber of some of these events. */
export type EventSubscriber = { readonly [G in keyof SidecarEvents]?: Partial<SidecarEvents[G]> };

/**
 * Calls every subscriber, in order, synchronously. An event without a subscriber costs an empty call. An event
 * with one subscriber is the subscriber's own function.
 */
export function createEvents(subscribers: readonly EventSubscriber[] = []): SidecarEvents {
  return {
    mailbox: combined('mailbox', SILENT, subscribers),
    grpc: combined('grpc', GRPC, subscribers),
    daemon: combined('daemon', DAEMON, subscribers),
    embedded: combined('embedded', EMBEDDED, subscribers),
    security: combined('security', SECURITY, subscribers),
    limits: combined('limits', LIMITS, subscribers),
  };
}

// The compiler checks that no method is missing.
type Names<G> = Readonly<Record<keyof G, unknown>>;
const GRPC: Names<GrpcEvents> = { ...NO_TELEMETRY, spreadError: true };
const DAEMON: Names<DaemonEvents> = { up: true, down: true, roundTrip: true };
const EMBEDDED: Names<EmbeddedDaemonEvents> = { event: true };
const SECURITY: Names<SecurityEvents> = { refused: true, loaded: true, reloadFailed: true };
const LIMITS: Names<LimitEvents> = { reached: true };

type Listener = (...args: unknown[]) => void;
const nobody: Listener = () => {};

function combined<G extends keyof SidecarEvents>(
  group: G,
  names: Names<SidecarEvents[G]>,
  subscribers: readonly EventSubscriber[],
): SidecarEvents[G] {
  const methods: Record<string, Listener> = {};
  for (const name of Object.keys(names)) {
    const listeners = subscribers.flatMap((subscriber) => {
      const wanted = subscriber[group] as Readonly<Record<string, Listener>> | undefined;
      return wanted?.[name] ? [wanted[name].bind(wanted)] : [];
    });
    methods[name] = listeners.length > 1 ? all(listeners) : (listeners[0] ?? nobody);
  }
  return methods as unknown as SidecarEvents[G];
}

function all(listeners: readonly Listener[]): Listener {
  return (...args) => {
    for (const listener of listeners) listener(...args);
  };
}
