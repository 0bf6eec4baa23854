import type { History } from './history.js';

const INTERVAL_MS = 50;
/** A longer delay may exceed a keepalive timeout or a deadline of this process. Unit: ms. */
const STALL_MS = 150;

/**
 * Records when this process was not scheduled for a while, because channels may then break without a fault.
 * Returns the function that ends it.
 */
export function noteStalls(history: History, links: readonly string[]): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const late = performance.now() - last - INTERVAL_MS;
    last = performance.now();
    if (late < STALL_MS) return;
    const link = 'machine';
    const detail = `${Math.round(late)} ms`;
    // Other timers and sockets may run before this one after the stall.
    history.add({ kind: 'fault', link, fault: 'stall', detail, affects: links, noticedAfterMs: late });
    history.add({ kind: 'healed', link, fault: 'stall' });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
