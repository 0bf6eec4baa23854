package org.spreadsidecar.client;

import io.grpc.Status;
import java.util.Map;
import java.util.Set;

/**
 * The messages of a sender as numbers: their sizes, frames, and progress. Rules S1 to S9 of
 * docs/client-rules.md. The caller has the messages and the stream, and synchronizes.
 */
final class SendWindow {
  /** S6: the maximum number of errors of rejected messages that the sender keeps. */
  static final int MAX_KEPT_ERRORS = 100;

  private static final int GROUP_BYTES = 32;
  private static final int MESSAGE_BYTES = 16;
  private static final int MAX_FRAME_MESSAGES = 1024;
  private static final int REQUESTS_PER_WINDOW = 4;

  private static final Set<String> NOT_SENT_REASONS = Set.of(Endpoint.SIDECAR_UNREACHABLE, Endpoint.NOT_A_SIDECAR);

  /**
   * A frame to write.
   *
   * @param messages the number of messages: the oldest ones that were not written yet
   * @param respond whether the frame requests a response
   */
  record Frame(int messages, boolean respond) {}

  private final long maxMessages;
  private final long maxBytes;
  private final long maxFrameBytes;
  /** The sizes of the messages in flight. The size of message n is at n modulo the length, a power of two. */
  private long[] sizes = new long[64];
  private long sent;
  private long written;
  private long requested;
  private long decided;
  private long accepted;
  private long inFlightBytes;
  private long unwrittenBytes;
  private long unrequestedBytes;
  private boolean closing;

  SendWindow(long maxMessages, long maxBytes, long maxFrameBytes) {
    this.maxMessages = maxMessages;
    this.maxBytes = maxBytes;
    this.maxFrameBytes = maxFrameBytes;
  }

  /** S1. */
  static long sizeOf(OutgoingMessage message) {
    return message.payload().length
        + (long) GROUP_BYTES * message.groups().size()
        + MESSAGE_BYTES
        + Headers.encodedSize(message.headers());
  }

  long sent() {
    return sent;
  }

  long decided() {
    return decided;
  }

  long accepted() {
    return accepted;
  }

  long inFlight() {
    return sent - decided;
  }

  long inFlightBytes() {
    return inFlightBytes;
  }

  boolean isClosing() {
    return closing;
  }

  /** S1: a message is in flight. */
  void add(long size) {
    if (inFlight() == sizes.length) grow();
    sent += 1;
    sizes[indexOf(sent)] = size;
    inFlightBytes += size;
    unwrittenBytes += size;
  }

  /** S2: whether the next send waits. */
  boolean isFull() {
    return inFlight() > 0 && (inFlight() >= maxMessages || inFlightBytes >= maxBytes);
  }

  /** S3: whether the next frame is complete. */
  boolean isFrameComplete() {
    return sent - written >= MAX_FRAME_MESSAGES || unwrittenBytes >= maxFrameBytes;
  }

  /**
   * S3, S4: the frame to write next, or null.
   *
   * @param isFlush whether the application waits until all messages are decided
   */
  Frame nextFrame(boolean isFlush) {
    int messages = 0;
    long bytes = 0;
    while (written < sent && messages < MAX_FRAME_MESSAGES && (messages == 0 || bytes < maxFrameBytes)) {
      written += 1;
      messages += 1;
      bytes += sizes[indexOf(written)];
    }
    boolean isAwaited = isFlush && written == sent && requested < sent && decided < sent;
    if (messages == 0 && !isAwaited) return null;
    unwrittenBytes -= bytes;
    unrequestedBytes += bytes;
    boolean isQuarterWritten =
        (written - requested) * REQUESTS_PER_WINDOW >= maxMessages || unrequestedBytes * REQUESTS_PER_WINDOW >= maxBytes;
    boolean respond = isAwaited || isQuarterWritten;
    if (respond) {
      requested = written;
      unrequestedBytes = 0;
    }
    return new Frame(messages, respond);
  }

  /** S9: returns the error that ends the sender, or null. */
  SpreadException onResponse(long nowDecided, long nowAccepted) {
    if (nowDecided < decided || nowDecided > written) {
      String comparison =
          nowDecided < decided ? "an earlier response decided " + decided : "the client has written only " + written;
      String message =
          "the response of MulticastStream decides " + Long.toUnsignedString(nowDecided) + " messages, but " + comparison;
      return failure(Status.Code.INTERNAL, message, SpreadException.Outcome.UNKNOWN);
    }
    while (decided < nowDecided) {
      decided += 1;
      inFlightBytes -= sizes[indexOf(decided)];
    }
    accepted = nowAccepted;
    return null;
  }

  /** S5: the application called close. */
  void close() {
    closing = true;
  }

  /** S7, and F6 for the client's own reasons: the outcome of a sender whose stream ended with this error. */
  SpreadException.Outcome outcomeOf(SpreadException error) {
    boolean isNotSent =
        decided == sent
            || "not-sent".equals(error.metadata().get("outcome"))
            || NOT_SENT_REASONS.contains(error.reason());
    return isNotSent ? SpreadException.Outcome.NOT_SENT : SpreadException.Outcome.UNKNOWN;
  }

  /** S5, S8: the error of a stream that the sidecar ended without an error, or null. */
  SpreadException errorOfEnd() {
    if (closing && decided == sent) return null;
    String message = "the sidecar ended the stream before it accepted or rejected all messages";
    return failure(Status.Code.UNAVAILABLE, message, SpreadException.Outcome.UNKNOWN);
  }

  private static SpreadException failure(Status.Code status, String message, SpreadException.Outcome outcome) {
    return SpreadException.local(status, message).with(message, Map.of(), outcome, null);
  }

  private int indexOf(long message) {
    return (int) message & (sizes.length - 1);
  }

  private void grow() {
    long[] larger = new long[sizes.length * 2];
    for (long message = decided + 1; message <= sent; message += 1)
      larger[(int) message & (larger.length - 1)] = sizes[indexOf(message)];
    sizes = larger;
  }
}
