package org.spreadsidecar.client;

import java.util.List;

/**
 * State and counters of a mailbox in the sidecar.
 *
 * @param privateGroup the private group of the mailbox
 * @param state OPEN, RECONNECTING or ENDED
 * @param daemon the Spread name of the daemon
 * @param membership whether the mailbox receives membership messages
 * @param acknowledgement when the sidecar may discard an event
 * @param groups the groups of the mailbox, in the order in which it joined them
 * @param receiverAttached whether a Receive stream is attached
 * @param lastSequence sequence of the last event from the daemon; 0 if none
 * @param deliveredSequence sequence of the last event that was delivered to a Receive stream; 0 if none
 * @param acknowledgedSequence sequence of the last acknowledged event
 * @param waitingEvents number of queued events, which were not yet delivered to a Receive stream
 * @param waitingBytes size of the queued events. Unit: bytes
 * @param messagesSent number of messages passed to the daemon
 * @param payloadBytesSent payload bytes passed to the daemon
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
