package org.spreadsidecar.client;

/** Gets every event, as in Spread's own Java client. See {@link Mailbox#add}. */
@FunctionalInterface
public interface BasicMessageListener {
  /** An event arrived. */
  void messageReceived(SpreadEvent event);
}
