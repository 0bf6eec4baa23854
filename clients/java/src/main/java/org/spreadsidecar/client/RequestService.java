package org.spreadsidecar.client;

import java.time.Duration;
import java.util.function.Consumer;

/** A group whose requests are handled. {@link RequestReply#serve} returns it. */
public final class RequestService implements AutoCloseable {
  private final String group;
  private final Consumer<Duration> stop;

  RequestService(String group, Consumer<Duration> stop) {
    this.group = group;
    this.stop = stop;
  }

  /** The group. */
  public String group() {
    return group;
  }

  /**
   * Stops to handle requests, and leaves the group. Requests that wait are rejected. Handlers that run can still
   * reply. A second call has no effect.
   */
  public void stop() {
    stop.accept(null);
  }

  /** The same as {@link #stop()}, with a timeout for leaving the group. */
  public void stop(Duration timeout) {
    stop.accept(timeout);
  }

  /** The same as {@link #stop()}. */
  @Override
  public void close() {
    stop();
  }
}
