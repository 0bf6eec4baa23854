import { NameLossPolicy, type ReconnectPolicy } from 'spread-sidecar-proto';
import { toDuration } from './duration.js';

/** How the sidecar reconnects to a daemon. All options are optional. */
export interface ReconnectOptions {
  /**
   * Maximum time to reconnect after the daemon connection is lost. After this time, the mailbox ends. Unit:
   * ms. Default: the sidecar's default, 60,000.
   */
  giveUpAfterMs?: number;
  /**
   * What to do if the private name is in use by another session: end, try variants with a number, or use a
   * name that the daemon generates. Default: END.
   */
  onNameLoss?: 'END' | 'SUFFIX' | 'DAEMON_MADE';
  /**
   * Whether the sidecar queues messages while it reconnects. If false, the sidecar rejects them with reason
   * RECONNECTING. Default: false.
   */
  queueMulticasts?: boolean;
}

/** `true` selects all defaults, `false` disables reconnection. */
export function fromReconnect(options: boolean | ReconnectOptions | undefined): ReconnectPolicy | undefined {
  if (options === undefined) return undefined;
  const { giveUpAfterMs, onNameLoss, queueMulticasts } = typeof options === 'boolean' ? {} : options;
  return {
    enabled: options !== false,
    giveUpAfter: toDuration(giveUpAfterMs, 'reconnect.giveUpAfterMs'),
    onNameLoss: NameLossPolicy[onNameLoss ?? 'UNSPECIFIED'],
    queueMulticasts: queueMulticasts ?? false,
  };
}
