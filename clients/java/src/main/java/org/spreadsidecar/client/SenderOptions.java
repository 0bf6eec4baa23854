package org.spreadsidecar.client;

import java.util.function.Consumer;

/** How a {@link Sender} works. Everything is optional; each setter returns this. */
public final class SenderOptions {
  int maxInFlightMessages = 10_000;
  long maxInFlightBytes = 4L * 1024 * 1024;
  long maxBatchBytes = 1024 * 1024;
  Consumer<Sender.Refusal> onRefused;

  /** Most messages that may be on their way, not yet decided. At least 1. Default: 10,000. */
  public SenderOptions maxInFlightMessages(int messages) {
    maxInFlightMessages = Math.max(1, messages);
    return this;
  }

  /** Most bytes of such messages. One is always let through. Default: 4 MiB. */
  public SenderOptions maxInFlightBytes(long bytes) {
    maxInFlightBytes = bytes;
    return this;
  }

  /**
   * A frame is written when its messages have so many bytes; the last of them may be more. Lower it where the sidecar's {@code
   * grpc.maxReceiveMessageBytes} (4 MiB by default) is set lower. Default: 1 MiB.
   */
  public SenderOptions maxBatchBytes(long bytes) {
    maxBatchBytes = bytes;
    return this;
  }

  /**
   * Told of each message that is refused, in order, in the background; it must not block. Without it the first hundred refusals are
   * kept, and the next flush or close fails with them.
   */
  public SenderOptions onRefused(Consumer<Sender.Refusal> listener) {
    onRefused = listener;
    return this;
  }
}
