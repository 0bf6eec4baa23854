/**
 * A connection can grow to this multiple of the free part beyond the reserve. Two connections that want everything
 * get 4/9 each.
 */
const SHARE_OF_FREE = 4;
/** The reserve for connections with few calls or streams, as a part of the limit. */
const RESERVE = 0.1;
/** A connection has few calls or streams while it has less than this part of the free ones. */
const FEW = 0.25;

/**
 * Whether a connection has used its share of a common limit. A single connection can use everything. Otherwise a
 * part stays free for connections with few, so that others cannot block a new one.
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

/** How much a connection can use of a common limit, beyond a few. Below 0 when the reserve is in use. */
export function shareOf(total: number, max: number): number {
  return SHARE_OF_FREE * (max - total - RESERVE * max);
}
