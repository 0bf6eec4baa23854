package org.spreadsidecar.client;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a mailbox receives. {@link #sequence()} is its position in the mailbox: 1 for the first event, then always one more; 0 for
 * a view or self-leave that is the answer of a call and not one of the mailbox's events.
 */
public sealed interface SpreadEvent {
  /** Its position in the mailbox. */
  long sequence();

  /**
   * A message that somebody multicast.
   *
   * @param sequence its position in the mailbox
   * @param sender private group of the sender, such as {@code #alice#node1}
   * @param groups every destination as the sender named them, also groups that this mailbox is not in
   * @param serviceType how it was sent; null if this release does not know it
   * @param messageType the sender's own number for it, -32768 to 32767
   * @param payload the bytes exactly as sent; they belong to the receiver of this object
   * @param endianMismatch the sender's machine has the other byte order than the sidecar's; the payload is not touched
   * @param selfDiscard the sender asked for no copy to itself
   */
  record RegularMessage(
      long sequence,
      String sender,
      List<String> groups,
      ServiceType serviceType,
      int messageType,
      byte[] payload,
      boolean endianMismatch,
      boolean selfDiscard)
      implements SpreadEvent {
    /** The payload read as UTF-8; bytes that are not become U+FFFD. */
    public String text() {
      return new String(payload, StandardCharsets.UTF_8);
    }
  }

  /**
   * Something that this mailbox sent and the daemon's access policy refused.
   *
   * @param sequence its position in the mailbox
   * @param operation what was refused; null if this release does not know it
   * @param sender private group of the sender
   * @param groups its destinations
   * @param serviceType how it was sent; null for a join or leave
   * @param messageType the sender's own number for it
   * @param payload the bytes as sent
   */
  record RejectedMessage(
      long sequence,
      RejectedOperation operation,
      String sender,
      List<String> groups,
      ServiceType serviceType,
      int messageType,
      byte[] payload)
      implements SpreadEvent {}

  /** A message about the membership of a group. */
  sealed interface MembershipMessage extends SpreadEvent {
    /** The group that it is about. */
    String group();
  }

  /**
   * A new membership of a group: who is in it from now on.
   *
   * @param sequence its position in the mailbox
   * @param group the group that it is about
   * @param groupId the identity of the membership
   * @param cause why it came to be; null if this release does not know it
   * @param members all members, in Spread's order, the same at all of them
   * @param ownIndex index of this mailbox in members, from 0; -1 if it is not among them
   * @param changedMembers JOIN, LEAVE, DISCONNECT: the one that came or went; NETWORK: those that did not come along with this
   *     mailbox from the view before
   * @param sets the virtual-synchrony sets, in the daemon's order
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
   * Comes before a NETWORK view when daemons were lost. Messages between it and the view belong to the old view, and their
   * guarantees hold only among the members who stay.
   *
   * @param sequence its position in the mailbox
   * @param group the group that it is about
   * @param groupId the identity of the view that is ending
   */
  record TransitionalMessage(long sequence, String group, GroupId groupId) implements MembershipMessage {}

  /**
   * This mailbox has left a group: no further message or view of it follows.
   *
   * @param sequence its position in the mailbox
   * @param group the group that it left
   */
  record SelfLeaveMessage(long sequence, String group) implements MembershipMessage {}

  /**
   * The daemon connection was lost; only with {@link ReconnectOptions}. Memberships and order end here.
   *
   * @param sequence its position in the mailbox
   * @param privateGroup the private group that was lost
   * @param groups the groups that the mailbox was in, in the order in which it joined them
   * @param spreadCode Spread's number for what happened, such as -8
   */
  record ConnectionLost(long sequence, String privateGroup, List<String> groups, int spreadCode)
      implements SpreadEvent {}

  /**
   * The daemon connection stands again, as a new session; only with {@link ReconnectOptions}.
   *
   * @param sequence its position in the mailbox
   * @param previousPrivateGroup the private group before the loss
   * @param privateGroup the one from now on
   * @param groups the groups that were joined again
   * @param daemon the daemon, as a spread name
   */
  record ConnectionRestored(
      long sequence, String previousPrivateGroup, String privateGroup, List<String> groups, String daemon)
      implements SpreadEvent {}
}
