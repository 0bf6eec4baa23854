import type { Box } from './box.js';
import type { History } from './history.js';
import type { Observers } from './observers.js';
import type { AppLinks } from './world.js';

/** The shared state of the applications in a round. */
export interface RoundContext {
  readonly round: number;
  readonly history: History;
  readonly observers: Observers;
  readonly links: readonly AppLinks[];
  readonly groups: readonly string[];
  readonly leaseMs: number;
  /** Keepalive timeout of channels. Unit: ms. */
  readonly keepAliveMs: number;
  /** The open mailboxes, as far as their applications know. */
  readonly boxes: Set<Box>;
  /** Aborted at the end of the round: applications start no further actions. */
  readonly over: AbortSignal;
  /** Number of messages sent so far. */
  sent: number;
}
