package org.spreadsidecar.client;

import org.spreadsidecar.client.SpreadEvent.MembershipMessage;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;

/** Is told of messages and of membership apart, as with Spread's own Java client. See {@link Mailbox#add}. */
public interface AdvancedMessageListener extends BasicMessageListener {
  /** Somebody multicast a message. */
  void regularMessageReceived(RegularMessage message);

  /** The membership of a group changed, or is about to. */
  void membershipMessageReceived(MembershipMessage message);

  /** Anything else: rejected messages, and the loss and return of the daemon connection. */
  default void otherEventReceived(SpreadEvent event) {}

  @Override
  default void messageReceived(SpreadEvent event) {
    if (event instanceof RegularMessage message) regularMessageReceived(message);
    else if (event instanceof MembershipMessage message) membershipMessageReceived(message);
    else otherEventReceived(event);
  }
}
