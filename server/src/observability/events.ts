// What happens in the sidecar, for metrics and log. The parts declare what they report; this file adds the reports of the
// sidecar itself and passes each report to every subscriber. What happens with every message is not reported: mailboxes count
// it, and metrics read the counts (metrics-sample.ts). No subscriber may throw.
import type { DaemonEvent } from '../daemon/events.js';
import { type GrpcTelemetry, NO_TELEMETRY } from '../grpc/calls/methods.js';
import { type MailboxTelemetry, SILENT } from '../mailbox/telemetry.js';

export interface GrpcEvents extends GrpcTelemetry {
  /** The sidecar answered a call with a Spread error, such as ILLEGAL_GROUP. */
  spreadError(code: string): void;
}

export interface DaemonEvents {
  /** The default daemon can be reached at this spread name. */
  up(daemon: string, version: string): void;
  /** It can't be reached, for the first time since it was up. */
  down(error: Error | undefined): void;
  /** A message that the sidecar sent to itself came back from the default daemon after so many seconds. */
  roundTrip(seconds: number): void;
}

export interface EmbeddedDaemonEvents {
  event(event: DaemonEvent): void;
}

/** Files that are read again when they change. */
export type CredentialKind = 'tls' | 'client-tokens' | 'admin-tokens';

export interface SecurityEvents {
  /**
   * A call or connection was rejected. `reason` is the contract's for a call (CREDENTIAL_MISSING, CREDENTIAL_INVALID,
   * ADMIN_ONLY), FOREIGN_MAILBOX for another's mailbox, `TLS_…` for a handshake. `about` holds no secret.
   */
  refused(reason: string, about: Readonly<Record<string, string>>): void;
  /** Certificates or tokens are in use as their files have them now. `expiresAtMs` is the server certificate's. */
  loaded(kind: CredentialKind, facts: { readonly expiresAtMs?: number; readonly count?: number }): void;
  /** A file changed and can't be used; what was in use stays. */
  reloadFailed(kind: CredentialKind, error: Error): void;
}

export interface LimitEvents {
  /**
   * A client reached a limit; `limit` is its name in docs/limits.md, such as `limits.maxCalls`. May come as often as
   * strangers like. `about` holds no secret.
   */
  reached(limit: string, about: Readonly<Record<string, string>>): void;
}

/** All of it. */
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
 * Calls every subscriber, in order, synchronously. An event without a subscriber costs an empty call, an event with one
 * is that subscriber's own function.
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
