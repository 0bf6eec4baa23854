package org.spreadsidecar.client;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/** Options of a request. All options are optional. Each setter returns this object. */
public final class RequestOptions {
  int replies = 1;
  Duration timeout = Duration.ofSeconds(30);
  ServiceType serviceType = ServiceType.AGREED;
  int messageType;
  Map<String, String> headers = Map.of();

  /** How many replies to wait for. At least 1. Default: 1. */
  public RequestOptions replies(int count) {
    if (count < 1) throw Errors.field("replies", "1 or more", count);
    replies = count;
    return this;
  }

  /** Waits for a reply of each member of the view. */
  public RequestOptions allReplies() {
    replies = PendingRequest.ALL;
    return this;
  }

  /** Maximum time until the result. More than 0. Default: 30 s. */
  public RequestOptions timeout(Duration time) {
    if (time.isZero() || time.isNegative()) throw Errors.field("timeout", "a duration, more than 0", time);
    timeout = time;
    return this;
  }

  /** The delivery guarantee of the request. Default: {@link ServiceType#AGREED}. */
  public RequestOptions serviceType(ServiceType type) {
    serviceType = Objects.requireNonNull(type, "serviceType");
    return this;
  }

  /** The application's own number, -32768 to 32767. Default: 0. */
  public RequestOptions messageType(int type) {
    messageType = type;
    return this;
  }

  /** Further headers of the request. {@link Headers} has the rules. */
  public RequestOptions headers(Map<String, String> more) {
    headers = Headers.copyOf(more);
    return this;
  }
}
