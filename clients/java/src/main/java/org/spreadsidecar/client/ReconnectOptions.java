package org.spreadsidecar.client;

import java.time.Duration;

/**
 * How a lost daemon connection is made anew.
 *
 * @param giveUpAfter how long after the loss the mailbox ends if that did not succeed; null: the sidecar's default, 60 s
 * @param onNameLoss what to do when another session keeps holding the private name; null: END
 * @param queueMulticasts messages that are sent meanwhile wait in the sidecar; else they are refused with reason RECONNECTING
 */
public record ReconnectOptions(Duration giveUpAfter, NameLoss onNameLoss, boolean queueMulticasts) {
  /** What to do when another session keeps holding the private name. */
  public enum NameLoss {
    /** The mailbox ends. */
    END,
    /** Variants of the name with a number are tried. */
    SUFFIX,
    /** The daemon makes a name. */
    DAEMON_MADE
  }

  /** As the sidecar does it by default. */
  public static final ReconnectOptions DEFAULT = new ReconnectOptions(null, null, false);
}
