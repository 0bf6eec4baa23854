package org.spreadsidecar.client;

/** Is told of every event, as with Spread's own Java client. See {@link Mailbox#add}. */
@FunctionalInterface
public interface BasicMessageListener {
  /** An event has come. */
  void messageReceived(SpreadEvent event);
}
