package org.spreadsidecar.client;

import java.time.Duration;

/**
 * Bounds of the event queue in the sidecar. What is null or 0 takes the sidecar's default.
 *
 * @param maxEvents most events that may wait
 * @param maxBytes most bytes that may wait, counted as encoded events
 * @param replayBytes with AUTO acknowledgement: bytes of events kept after they were handed out
 * @param overflow at a bound: stop reading from the daemon, or end the mailbox
 * @param softLimitFraction a bound that the queue may be above only for a time, as a part of the others: above 0, at most 1
 * @param softLimitTime that time
 */
public record QueueOptions(
    long maxEvents,
    long maxBytes,
    long replayBytes,
    Overflow overflow,
    double softLimitFraction,
    Duration softLimitTime) {
  /** What happens at a bound. */
  public enum Overflow {
    /** The sidecar stops reading from the daemon. */
    PAUSE,
    /** The mailbox ends. */
    DISCONNECT
  }
}
