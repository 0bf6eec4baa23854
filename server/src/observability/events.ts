// What happens in the sidecar, for metrics and log. The parts that tell it declare their own small interfaces; the groups
// here have the same shape, so that each part is simply given its group. What happens with every message is not told at
// all: mailboxes count it, and metrics read the counts (metrics-sample.ts). No subscriber may throw.

/** What may be told about a mailbox: nothing that opens it. */
export interface MailboxIdentity {
  readonly displayId: string;
  readonly privateGroup: string;
  /** The daemon, as a spread name. */
  readonly daemon: string;
}

/** How full a queue is. */
export interface QueueFill {
  readonly queuedEvents: number;
  readonly queuedBytes: number;
  readonly limits: { readonly maxEvents: number; readonly maxBytes: number };
  /** Milliseconds until the soft limit ends the mailbox; undefined: none threatens. */
  readonly timeLeftMs: number | undefined;
}

export interface MailboxEvents {
  /** `by`: who opened it, as address and identity. Holds no secret. */
  opened(mailbox: MailboxIdentity, by: { readonly peer: string; readonly identity: string }): void;
  /** `reason` as in the contract, such as LEASE_EXPIRED. */
  ended(mailbox: MailboxIdentity, reason: string, message: string): void;
  /** Reading from the daemon stopped, because the queue is full. */
  paused(mailbox: MailboxIdentity): void;
  resumed(mailbox: MailboxIdentity): void;
  /** The queue rose over the notice mark or the soft bound. */
  slowConsumer(mailbox: MailboxIdentity, queue: QueueFill): void;
  /** A daemon of a Connect could not be reached or refused it. */
  connectFailed(daemon: string, error: Error): void;
  /** A call named a mailbox that its caller did not open. */
  foreignCall(mailbox: MailboxIdentity): void;
  /** The connection was lost and is being made anew. */
  reconnecting(mailbox: MailboxIdentity, message: string): void;
  /** One attempt of that failed. */
  reconnectFailed(mailbox: MailboxIdentity, daemon: string, error: Error): void;
  /** It stands again, after so many seconds. */
  reconnected(mailbox: MailboxIdentity, previousPrivateGroup: string, seconds: number): void;
  /** It could not be made anew; the mailbox ends. */
  reconnectGivenUp(mailbox: MailboxIdentity, message: string): void;
  /** A defect of the sidecar. */
  defect(error: unknown): void;
}

/** One method of a gRPC service. One object a method: it is the key under which calls are counted. */
export interface GrpcMethod {
  readonly service: string;
  readonly method: string;
  readonly type: 'unary' | 'client_stream' | 'server_stream' | 'bidi_stream';
}

export interface GrpcEvents {
  callStarted(method: GrpcMethod): void;
  /** `code` is the number of the gRPC status. */
  callFinished(method: GrpcMethod, code: number, seconds: number): void;
  messageReceived(method: GrpcMethod): void;
  messageSent(method: GrpcMethod): void;
  /** A caller was answered with a Spread error, such as ILLEGAL_GROUP. */
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

/** One thing that the embedded daemon tells. */
export interface EmbeddedDaemonEvent {
  readonly kind: string;
  readonly privateGroup?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface EmbeddedDaemonEvents {
  event(event: EmbeddedDaemonEvent): void;
}

/** Files that are read anew when they change. */
export type CredentialKind = 'tls' | 'client-tokens' | 'admin-tokens';

export interface SecurityEvents {
  /**
   * Somebody was not let in. `reason` is the contract's for a call (CREDENTIAL_MISSING, CREDENTIAL_INVALID, ADMIN_ONLY),
   * FOREIGN_MAILBOX for another's mailbox, `TLS_…` for a handshake. `about` holds no secret.
   */
  refused(reason: string, about: Readonly<Record<string, string>>): void;
  /** Certificates or tokens are in use as their files have them now. `expiresAtMs` is the server certificate's. */
  loaded(kind: CredentialKind, facts: { readonly expiresAtMs?: number; readonly count?: number }): void;
  /** A file changed and can't be used; what was in use stays. */
  reloadFailed(kind: CredentialKind, error: Error): void;
}

export interface LimitEvents {
  /**
   * Somebody ran into a limit; `limit` is its name in docs/limits.md, such as `limits.maxCalls`. May come as often as strangers
   * like. `about` holds no secret.
   */
  reached(limit: string, about: Readonly<Record<string, string>>): void;
}

/** All of it. */
export interface SidecarEvents {
  readonly mailbox: MailboxEvents;
  readonly grpc: GrpcEvents;
  readonly daemon: DaemonEvents;
  readonly embedded: EmbeddedDaemonEvents;
  readonly security: SecurityEvents;
  readonly limits: LimitEvents;
}

/** Somebody who wants to be told some of it. */
export type EventSubscriber = { readonly [G in keyof SidecarEvents]?: Partial<SidecarEvents[G]> };

/**
 * Tells every subscriber, in order, synchronously. What nobody wants costs an empty call, what one wants is that
 * subscriber's own function.
 */
export function createEvents(subscribers: readonly EventSubscriber[] = []): SidecarEvents {
  return {
    mailbox: combined('mailbox', MAILBOX, subscribers),
    grpc: combined('grpc', GRPC, subscribers),
    daemon: combined('daemon', DAEMON, subscribers),
    embedded: combined('embedded', EMBEDDED, subscribers),
    security: combined('security', SECURITY, subscribers),
    limits: combined('limits', LIMITS, subscribers),
  };
}

// The compiler sees that no method is missing.
type Names<G> = Readonly<Record<keyof G, true>>;
const MAILBOX: Names<MailboxEvents> = {
  opened: true,
  ended: true,
  paused: true,
  resumed: true,
  slowConsumer: true,
  connectFailed: true,
  foreignCall: true,
  reconnecting: true,
  reconnectFailed: true,
  reconnected: true,
  reconnectGivenUp: true,
  defect: true,
};
const GRPC: Names<GrpcEvents> = {
  callStarted: true,
  callFinished: true,
  messageReceived: true,
  messageSent: true,
  spreadError: true,
};
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
