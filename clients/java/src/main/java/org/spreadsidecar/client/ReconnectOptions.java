package org.spreadsidecar.client;

import java.time.Duration;

/**
 * How the sidecar reconnects to a daemon.
 *
 * @param giveUpAfter maximum time to reconnect after the daemon connection is lost. After this time, the mailbox
 * ends. Null: the sidecar's default, 60 s
 * @param onNameLoss what to do if the private name is in use by another session; null: END
 * @param queueMulticasts whether the sidecar queues messages while it reconnects. If false, the sidecar rejects them
 * with reason RECONNECTING
 */
public record ReconnectOptions(Duration giveUpAfter, NameLoss onNameLoss, boolean queueMulticasts) {
  /** What to do if the private name is in use by another session. */
  public enum NameLoss {
    /** The mailbox ends. */
    END,
    /** The sidecar tries variants of the name with a number. */
    SUFFIX,
    /** The daemon generates a name. */
    DAEMON_MADE
  }

  /** The sidecar's defaults. */
  public static final ReconnectOptions DEFAULT = new ReconnectOptions(null, null, false);
}
