package org.spreadsidecar.client;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A request that a handler gets.
 *
 * @param payload the bytes exactly as sent
 * @param sender the private group of the requester
 * @param group the group, or the private group of this member
 * @param messageType the number that the requester chose: -32768 to 32767
 * @param headers the headers of the request, unmodifiable
 */
public record IncomingRequest(
    byte[] payload, String sender, String group, int messageType, Map<String, String> headers) {
  /** The payload as UTF-8. Invalid bytes become U+FFFD. */
  public String text() {
    return new String(payload, StandardCharsets.UTF_8);
  }
}
