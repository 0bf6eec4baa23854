package org.spreadsidecar.client;

import java.util.List;

/**
 * State and counters of a mailbox, as the sidecar has them.
 *
 * @param privateGroup its private group
 * @param state OPEN, RECONNECTING or ENDED
 * @param daemon the daemon, as a spread name
 * @param membership whether it receives membership messages
 * @param acknowledgement when the sidecar may discard an event
 * @param groups the groups that it is in, in the order in which it joined them
 * @param receiverAttached whether a Receive stream is attached
 * @param lastSequence the last event received from the daemon; 0 if none
 * @param deliveredSequence the last event given to a Receive stream; 0 if none
 * @param acknowledgedSequence the last acknowledged event
 * @param waitingEvents events that were not yet given to a Receive stream
 * @param waitingBytes their bytes
 * @param messagesSent messages handed to the daemon
 * @param payloadBytesSent payload bytes handed to the daemon
 */
public record MailboxInfo(
    String privateGroup,
    String state,
    String daemon,
    boolean membership,
    AcknowledgementMode acknowledgement,
    List<String> groups,
    boolean receiverAttached,
    long lastSequence,
    long deliveredSequence,
    long acknowledgedSequence,
    long waitingEvents,
    long waitingBytes,
    long messagesSent,
    long payloadBytesSent) {
  static MailboxInfo of(org.spreadsidecar.v1.Mailbox mailbox) {
    return new MailboxInfo(
        mailbox.getPrivateGroup(),
        stateOf(mailbox.getState()),
        mailbox.getDaemon(),
        mailbox.getMembership(),
        AcknowledgementMode.of(mailbox.getAcknowledgement()),
        List.copyOf(mailbox.getGroupsList()),
        mailbox.getReceiverAttached(),
        mailbox.getLastSequence(),
        mailbox.getDeliveredSequence(),
        mailbox.getAcknowledgedSequence(),
        mailbox.getWaitingEvents(),
        mailbox.getWaitingBytes(),
        mailbox.getMessagesSent(),
        mailbox.getPayloadBytesSent());
  }

  static String stateOf(org.spreadsidecar.v1.MailboxState state) {
    return switch (state) {
      case MAILBOX_STATE_OPEN -> "OPEN";
      case MAILBOX_STATE_RECONNECTING -> "RECONNECTING";
      case MAILBOX_STATE_ENDED -> "ENDED";
      default -> "UNKNOWN";
    };
  }
}
