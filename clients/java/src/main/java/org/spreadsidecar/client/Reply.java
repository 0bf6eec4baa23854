package org.spreadsidecar.client;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * A reply to a request.
 *
 * @param sender the private group of the member that replied
 * @param payload the payload; empty if the handler failed
 * @param headers the headers of the reply, unmodifiable
 * @param error the message of the error with which the handler failed
 */
public record Reply(String sender, byte[] payload, Map<String, String> headers, Optional<String> error) {
  /** The payload as UTF-8. Invalid bytes become U+FFFD. */
  public String text() {
    return new String(payload, StandardCharsets.UTF_8);
  }
}
