package org.spreadsidecar.client;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;

/**
 * The reply of a handler.
 *
 * @param payload the payload; must not change after the handler returns
 * @param headers further headers of the reply; null means the same as an empty map
 */
public record HandlerReply(byte[] payload, Map<String, String> headers) {
  /** Copies the headers. */
  public HandlerReply {
    Objects.requireNonNull(payload, "payload");
    headers = Headers.copyOf(headers);
  }

  /** A reply without further headers. */
  public static HandlerReply of(byte[] payload) {
    return new HandlerReply(payload, null);
  }

  /** A reply with a text in UTF-8. */
  public static HandlerReply of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Returns the same reply, but with these headers. */
  public HandlerReply withHeaders(Map<String, String> more) {
    return new HandlerReply(payload, more);
  }
}
