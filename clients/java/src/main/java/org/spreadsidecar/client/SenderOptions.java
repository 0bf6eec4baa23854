package org.spreadsidecar.client;

import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** Options of a {@link Sender}. All options are optional. Each setter returns this object. */
public final class SenderOptions {
  int maxInFlightMessages = 10_000;
  long maxInFlightBytes = 4L * 1024 * 1024;
  long maxBatchBytes = 1024 * 1024;
  Consumer<Sender.Refusal> onRefused;
  /** Gets the number of decided messages, after {@link #onRefused} got the rejected ones. Null if not set. */
  LongConsumer onDecided;

  /**
   * Maximum number of messages in flight: sent, but not yet passed to the daemon or rejected. At least 1. Default:
   * 10,000.
   */
  public SenderOptions maxInFlightMessages(int messages) {
    maxInFlightMessages = Math.max(1, messages);
    return this;
  }

  /** Maximum size of the messages in flight. A single message may be larger. Default: 4 MiB. */
  public SenderOptions maxInFlightBytes(long bytes) {
    maxInFlightBytes = bytes;
    return this;
  }

  /**
   * The sender writes a frame when its messages reach this size. The last message of a frame may exceed the size. Set
   * a lower value if the sidecar's {@code grpc.maxReceiveMessageBytes} (4 MiB by default) is lower. Default: 1 MiB.
   */
  public SenderOptions maxBatchBytes(long bytes) {
    maxBatchBytes = bytes;
    return this;
  }

  /**
   * A background thread passes each rejected message to this listener, in order. The listener must not block. If it
   * is not set, the next flush or close fails with the first 100 errors.
   */
  public SenderOptions onRefused(Consumer<Sender.Refusal> listener) {
    onRefused = listener;
    return this;
  }
}
