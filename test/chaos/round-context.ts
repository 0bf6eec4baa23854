import type { Box } from './box.js';
import type { History } from './history.js';
import type { Observers } from './observers.js';
import type { AppLinks } from './world.js';

/** What the applications of one round share. */
export interface RoundContext {
  readonly round: number;
  readonly history: History;
  readonly observers: Observers;
  readonly links: readonly AppLinks[];
  readonly groups: readonly string[];
  readonly leaseMs: number;
  /** A channel that is silent for so long is given up. Unit: ms. */
  readonly keepAliveMs: number;
  /** The mailboxes that live, as far as their applications know. */
  readonly boxes: Set<Box>;
  /** Aborted when nobody begins anything new. */
  readonly over: AbortSignal;
  /** Messages given to the sidecar so far. */
  sent: number;
}
