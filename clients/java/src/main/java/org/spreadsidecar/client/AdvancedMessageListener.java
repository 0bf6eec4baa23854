package org.spreadsidecar.client;

import org.spreadsidecar.client.SpreadEvent.MembershipMessage;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;

/** Gets messages and membership messages separately, as in Spread's own Java client. See {@link Mailbox#add}. */
public interface AdvancedMessageListener extends BasicMessageListener {
  /** A regular message arrived, which a client has sent with a multicast. */
  void regularMessageReceived(RegularMessage message);

  /** The membership of a group changed or is about to change. */
  void membershipMessageReceived(MembershipMessage message);

  /** All other events: rejected messages, and the loss and the reconnection of the daemon connection. */
  default void otherEventReceived(SpreadEvent event) {}

  @Override
  default void messageReceived(SpreadEvent event) {
    if (event instanceof RegularMessage message) regularMessageReceived(message);
    else if (event instanceof MembershipMessage message) membershipMessageReceived(message);
    else otherEventReceived(event);
  }
}
