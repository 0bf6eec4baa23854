import { NameLossPolicy, type ReconnectPolicy } from 'spread-sidecar-proto';
import { toDuration } from './duration.js';

/** How a lost daemon connection is made anew. Everything is optional. */
export interface ReconnectOptions {
  /** How long after the loss the mailbox ends if that did not succeed. Unit: ms. Default: the sidecar's, 60,000. */
  giveUpAfterMs?: number;
  /**
   * What to do when another session keeps holding the private name: end, try variants of it with a number, or
   * take a name that the daemon makes. Default: END.
   */
  onNameLoss?: 'END' | 'SUFFIX' | 'DAEMON_MADE';
  /** Messages that are sent meanwhile wait in the sidecar. Default: false, they are refused with reason RECONNECTING. */
  queueMulticasts?: boolean;
}

/** `true` is everything by default; `false` is off. */
export function fromReconnect(wish: boolean | ReconnectOptions | undefined): ReconnectPolicy | undefined {
  if (wish === undefined) return undefined;
  const { giveUpAfterMs, onNameLoss, queueMulticasts } = typeof wish === 'boolean' ? {} : wish;
  return {
    enabled: wish !== false,
    giveUpAfter: toDuration(giveUpAfterMs, 'reconnect.giveUpAfterMs'),
    onNameLoss: NameLossPolicy[onNameLoss ?? 'UNSPECIFIED'],
    queueMulticasts: queueMulticasts ?? false,
  };
}
