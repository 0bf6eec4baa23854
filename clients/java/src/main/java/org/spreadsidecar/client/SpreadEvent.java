package org.spreadsidecar.client;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * A received event. {@link #sequence()} is its position in the mailbox: 1 for the first event, then incremented by 1.
 * It is 0 for the result of a call, which is not an event of the mailbox.
 */
public sealed interface SpreadEvent {
  /** Position in the mailbox. */
  long sequence();

  /**
   * A message that a client has sent with a multicast.
   *
   * @param sequence position in the mailbox
   * @param sender private group of the sender, such as {@code #alice#node1}
   * @param groups all destinations that the sender named, including groups that this mailbox is not in
   * @param serviceType the service type; null if this release does not know it
   * @param messageType the message type, which the sender chose: -32768 to 32767
   * @param payload the bytes exactly as sent. The application may change them
   * @param endianMismatch whether the byte orders of the sender's and the sidecar's machine differ. The payload is
   * not converted
   * @param selfDiscard whether the sender asked not to receive its own message
   * @param headers the headers of the message, unmodifiable; empty if there are none
   */
  record RegularMessage(
      long sequence,
      String sender,
      List<String> groups,
      ServiceType serviceType,
      int messageType,
      byte[] payload,
      boolean endianMismatch,
      boolean selfDiscard,
      Map<String, String> headers)
      implements SpreadEvent {
    /** The payload as UTF-8. Invalid bytes become U+FFFD. */
    public String text() {
      return new String(payload, StandardCharsets.UTF_8);
    }
  }

  /**
   * A join, leave or message of this mailbox that the daemon's access policy rejected.
   *
   * @param sequence position in the mailbox
   * @param operation the rejected operation; null if this release does not know it
   * @param sender private group of the sender
   * @param groups the destinations
   * @param serviceType the service type; null for a join or leave
   * @param messageType the message type, which the sender chose
   * @param payload the bytes as sent
   * @param headers the headers of the message, unmodifiable; empty if there are none
   */
  record RejectedMessage(
      long sequence,
      RejectedOperation operation,
      String sender,
      List<String> groups,
      ServiceType serviceType,
      int messageType,
      byte[] payload,
      Map<String, String> headers)
      implements SpreadEvent {}

  /** A message about the membership of a group. */
  sealed interface MembershipMessage extends SpreadEvent {
    /** The group. */
    String group();
  }

  /**
   * A new view: the members of a group from now on.
   *
   * @param sequence position in the mailbox
   * @param group the group
   * @param groupId the identity of the view
   * @param cause the cause of the view; null if this release does not know it
   * @param members all members, in Spread's order. Every member gets the same order
   * @param ownIndex index of this mailbox in members, starting at 0; -1 if it is not a member
   * @param changedMembers JOIN, LEAVE, DISCONNECT: the one member that joined or left. NETWORK: the members that did
   * not move with this mailbox from the previous view
   * @param sets the virtual synchrony sets, in the daemon's order
   */
  record ViewMessage(
      long sequence,
      String group,
      GroupId groupId,
      MembershipCause cause,
      List<String> members,
      int ownIndex,
      List<String> changedMembers,
      List<VirtualSynchronySet> sets)
      implements MembershipMessage {}

  /**
   * A transitional signal. It precedes a NETWORK view after the loss of daemons. Messages between the signal and the
   * view belong to the old view. Their guarantees hold only among the members that stay together.
   *
   * @param sequence position in the mailbox
   * @param group the group
   * @param groupId the identity of the view that ends
   */
  record TransitionalMessage(long sequence, String group, GroupId groupId) implements MembershipMessage {}

  /**
   * This mailbox left a group. No further message or view of the group follows.
   *
   * @param sequence position in the mailbox
   * @param group the group
   */
  record SelfLeaveMessage(long sequence, String group) implements MembershipMessage {}

  /**
   * The sidecar lost the daemon connection. Only with {@link ReconnectOptions}. The mailbox is no longer in its
   * groups, and Spread's order of messages ends at this event.
   *
   * @param sequence position in the mailbox
   * @param privateGroup the lost private group
   * @param groups the groups of the mailbox, in the order in which it joined them
   * @param spreadCode Spread's number for the cause, such as -8
   */
  record ConnectionLost(long sequence, String privateGroup, List<String> groups, int spreadCode)
      implements SpreadEvent {}

  /**
   * The sidecar reconnected to a daemon, with a new session and possibly a new private group. Only with {@link
   * ReconnectOptions}.
   *
   * @param sequence position in the mailbox
   * @param previousPrivateGroup the previous private group
   * @param privateGroup the new private group
   * @param groups the groups that the sidecar joins again. A view of each group follows
   * @param daemon the Spread name of the connected daemon
   */
  record ConnectionRestored(
      long sequence, String previousPrivateGroup, String privateGroup, List<String> groups, String daemon)
      implements SpreadEvent {}
}
