/** A connection may grow to this many times what is free beyond the reserve. Two connections that want all get 4/9 each. */
const SHARE_OF_FREE = 4;
/** What is kept for connections with few, as a share of the bound. */
const RESERVE = 0.1;
/** A connection has few calls or streams while they are less than this part of what is free. */
const FEW = 0.25;

/**
 * Whether a connection has its share of a bound that all connections have together. The only connection may have everything. Otherwise
 * a part stays free for connections with few, so that others cannot keep a newcomer out.
 *
 * @param own - calls or streams of the connection
 * @param total - those of all connections
 */
export function hasItsShare(own: number, total: number, max: number): boolean {
  if (own === total) return false;
  const free = max - total;
  if (own < FEW * free) return false;
  return own >= shareOf(total, max);
}

/** How many a connection may have of a bound that all connections have together, beyond a few. Below 0 when the reserve is in use. */
export function shareOf(total: number, max: number): number {
  return SHARE_OF_FREE * (max - total - RESERVE * max);
}
