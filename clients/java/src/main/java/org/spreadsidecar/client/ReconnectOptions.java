package org.spreadsidecar.client;

import java.time.Duration;

/**
 * How the sidecar reconnects to a daemon.
 *
 * @param giveUpAfter maximum time to reconnect after a loss. Then the mailbox ends. Null: the sidecar's default, 60 s
 * @param onNameLoss what to do if another session holds the private name; null: END
 * @param queueMulticasts queue messages in the sidecar during a reconnection. If false, they are rejected with reason
 * RECONNECTING
 */
public record ReconnectOptions(Duration giveUpAfter, NameLoss onNameLoss, boolean queueMulticasts) {
  /** What to do if another session holds the private name. */
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
