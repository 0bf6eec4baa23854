/** A client token of the sidecar, for an attacker that is a client with bad intentions. Works where `ServeOptions.tokens` is set. */
export const ATTACKER_TOKEN = 'token-of-the-attacking-client';

/** Where an attacker finds the sidecar. */
export interface Target {
  /** An address of this machine. */
  readonly host: string;
  readonly grpcPort: number;
  readonly adminPort: number;
  readonly daemonPort: number;
}

/** How long an attacker may continue. */
export interface Span {
  /** True in the short form, which ordinary tests run. */
  readonly short: boolean;
  /** True when the time is over; the attacker closes what it opened and returns. */
  readonly isOver: boolean;
  /** Resolves when the time is over. */
  readonly over: Promise<void>;
}

/** Counts that an attacker reports, such as `connections: 50`. */
export type Figures = Readonly<Record<string, number>>;

/** How the attacked sidecar is started. */
export interface ServeOptions {
  /** Flags of `spread-sidecar serve` beside addresses and the embedded daemon. */
  readonly flags?: readonly string[];
  /** True: every call needs a client token. The well-behaved client has one; ATTACKER_TOKEN is another. */
  readonly tokens?: boolean;
  /** Node's heap limit. Unit: MiB. Default: Node's own. */
  readonly heapMiB?: number;
  /** `memory.limit` of the sidecar where no cgroup bounds its memory. Unit: MiB. Default: the sidecar's own. */
  readonly memoryMiB?: number;
}

/** What must hold while the attack runs. */
export interface Bounds {
  /** Highest resident memory of the sidecar. Unit: MiB. With `memoryMiB`, a cgroup replaces this bound. */
  readonly peakMiB: number;
  /** Longest wait for an answer of `/livez`. Unit: ms. Default: 100. */
  readonly livezMs?: number;
  /** p99 of the well-behaved client's calls, as a multiple of its value at rest. Default: 10. */
  readonly latencyFactor?: number;
}

/**
 * One attack. `run` executes in a thread of its own and must not outlive its span by more than a second. It throws when the
 * sidecar does not recover from the attack.
 */
export interface Attack {
  readonly name: string;
  /** A line for `--list`. */
  readonly text: string;
  readonly serve?: ServeOptions;
  /** How long the attacker runs. Unit: seconds. */
  readonly seconds: { readonly short: number; readonly full: number };
  readonly bounds: Bounds;
  run(target: Target, span: Span): Promise<Figures>;
}
