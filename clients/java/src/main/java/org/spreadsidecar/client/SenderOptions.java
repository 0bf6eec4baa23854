package org.spreadsidecar.client;

import java.util.function.Consumer;

/** Options of a {@link Sender}. All are optional; each setter returns this. */
public final class SenderOptions {
  int maxInFlightMessages = 10_000;
  long maxInFlightBytes = 4L * 1024 * 1024;
  long maxBatchBytes = 1024 * 1024;
  Consumer<Sender.Refusal> onRefused;

  /** Maximum number of messages in flight, which are not yet decided. At least 1. Default: 10,000. */
  public SenderOptions maxInFlightMessages(int messages) {
    maxInFlightMessages = Math.max(1, messages);
    return this;
  }

  /** Maximum size of the messages in flight. A single message may exceed it. Default: 4 MiB. */
  public SenderOptions maxInFlightBytes(long bytes) {
    maxInFlightBytes = bytes;
    return this;
  }

  /**
   * Size of the messages at which the sender writes a frame. The last message may exceed it. Lower it if the
   * sidecar's {@code grpc.maxReceiveMessageBytes} (4 MiB by default) is lower. Default: 1 MiB.
   */
  public SenderOptions maxBatchBytes(long bytes) {
    maxBatchBytes = bytes;
    return this;
  }

  /**
   * Gets each rejected message, in order, in the background; it must not block. Without it, the next flush or close
   * fails with the first 100 errors.
   */
  public SenderOptions onRefused(Consumer<Sender.Refusal> listener) {
    onRefused = listener;
    return this;
  }
}
