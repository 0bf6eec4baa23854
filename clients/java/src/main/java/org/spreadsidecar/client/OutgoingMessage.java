package org.spreadsidecar.client;

import com.google.protobuf.UnsafeByteOperations;
import java.util.List;
import java.util.Map;
import org.spreadsidecar.v1.MulticastMessage;

/**
 * A message to send.
 *
 * @param serviceType the service type
 * @param groups destinations: groups or private groups
 * @param payload at most 143,119 bytes for one group without headers; must not change until the message is sent
 * @param messageType the application's own number, -32768 to 32767
 * @param selfDiscard whether the daemon does not deliver the message to the sender
 * @param headers names and values that travel with the message; null means the same as an empty map. {@link Headers}
 * has the rules and the reserved names
 */
public record OutgoingMessage(
    ServiceType serviceType,
    List<String> groups,
    byte[] payload,
    int messageType,
    boolean selfDiscard,
    Map<String, String> headers) {
  /** Copies the headers. */
  public OutgoingMessage {
    headers = Headers.copyOf(headers);
  }

  /** A message without headers. */
  public OutgoingMessage(
      ServiceType serviceType, List<String> groups, byte[] payload, int messageType, boolean selfDiscard) {
    this(serviceType, groups, payload, messageType, selfDiscard, null);
  }

  /** A message of type 0 to one group. The sender receives it if it is a member. */
  public static OutgoingMessage to(ServiceType serviceType, String group, byte[] payload) {
    return new OutgoingMessage(serviceType, List.of(group), payload, 0, false);
  }

  /** Returns the same message, but with these headers. */
  public OutgoingMessage withHeaders(Map<String, String> headers) {
    return new OutgoingMessage(serviceType, groups, payload, messageType, selfDiscard, headers);
  }

  MulticastMessage toProto() {
    MulticastMessage.Builder message =
        MulticastMessage.newBuilder()
            .setServiceType(serviceType.toProto())
            .addAllGroups(groups)
            .setPayload(UnsafeByteOperations.unsafeWrap(payload))
            .setMessageType(messageType)
            .setSelfDiscard(selfDiscard);
    if (!headers.isEmpty()) {
      Headers.check(headers);
      message.putAllHeaders(headers);
    }
    return message.build();
  }

  static OutgoingMessage of(MulticastMessage message) {
    return new OutgoingMessage(
        ServiceType.of(message.getServiceType()),
        List.copyOf(message.getGroupsList()),
        message.getPayload().toByteArray(),
        message.getMessageType(),
        message.getSelfDiscard(),
        message.getHeadersMap());
  }
}
