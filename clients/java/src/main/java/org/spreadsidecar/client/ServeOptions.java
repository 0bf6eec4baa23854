package org.spreadsidecar.client;

import java.time.Duration;

/** Options of {@link RequestReply#serve}. All options are optional. Each setter returns this object. */
public final class ServeOptions {
  int concurrency = 1;
  int maxQueued = 1000;
  /** Null for the channel's default timeout. */
  Duration timeout;

  /**
   * Maximum number of handlers that run at the same time, each in a thread of its own. At least 1. Default: 1, which
   * keeps the order of delivery.
   */
  public ServeOptions concurrency(int handlers) {
    if (handlers < 1) throw Errors.field("concurrency", "1 or more", handlers);
    concurrency = handlers;
    return this;
  }

  /** Maximum number of requests that wait for a handler. Further requests are rejected. Default: 1,000. */
  public ServeOptions maxQueued(int requests) {
    if (requests < 0) throw Errors.field("maxQueued", "0 or more", requests);
    maxQueued = requests;
    return this;
  }

  /** Maximum time to join the group. Default: the channel's default timeout. */
  public ServeOptions timeout(Duration time) {
    if (time.isZero() || time.isNegative()) throw Errors.field("timeout", "a duration, more than 0", time);
    timeout = time;
    return this;
  }
}
