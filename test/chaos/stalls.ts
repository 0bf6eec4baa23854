import type { History } from './history.js';

const INTERVAL_MS = 50;
/** Later than this, and a keep-alive or a deadline of ours may have passed for no other cause. Unit: ms. */
const STALL_MS = 150;

/**
 * Notes when this process itself got no processor for a while: channels may break then without a fault. Gives what
 * ends it.
 */
export function noteStalls(history: History, links: readonly string[]): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const late = performance.now() - last - INTERVAL_MS;
    last = performance.now();
    if (late < STALL_MS) return;
    const link = 'machine';
    const detail = `${Math.round(late)} ms`;
    // Other timers and sockets may run before this one when the stall is over.
    history.add({ kind: 'fault', link, fault: 'stall', detail, affects: links, noticedAfterMs: late });
    history.add({ kind: 'healed', link, fault: 'stall' });
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
