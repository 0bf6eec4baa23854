package org.spreadsidecar.client;

import com.google.protobuf.UnsafeByteOperations;
import java.util.List;
import org.spreadsidecar.v1.MulticastMessage;

/**
 * A message to send.
 *
 * @param serviceType the service type
 * @param groups destinations: groups or private groups
 * @param payload at most 143,119 bytes for one group; must not change until it was sent
 * @param messageType the application's own number, -32768 to 32767
 * @param selfDiscard do not deliver the message to the sender
 */
public record OutgoingMessage(
    ServiceType serviceType, List<String> groups, byte[] payload, int messageType, boolean selfDiscard) {
  /** A message of type 0 to one group. The sender receives it if it is a member. */
  public static OutgoingMessage to(ServiceType serviceType, String group, byte[] payload) {
    return new OutgoingMessage(serviceType, List.of(group), payload, 0, false);
  }

  MulticastMessage toProto() {
    return MulticastMessage.newBuilder()
        .setServiceType(serviceType.toProto())
        .addAllGroups(groups)
        .setPayload(UnsafeByteOperations.unsafeWrap(payload))
        .setMessageType(messageType)
        .setSelfDiscard(selfDiscard)
        .build();
  }

  static OutgoingMessage of(MulticastMessage message) {
    return new OutgoingMessage(
        ServiceType.of(message.getServiceType()),
        List.copyOf(message.getGroupsList()),
        message.getPayload().toByteArray(),
        message.getMessageType(),
        message.getSelfDiscard());
  }
}
