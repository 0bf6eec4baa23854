package org.spreadsidecar.client;

import java.time.Duration;

/**
 * Limits of the delivery queue in the sidecar. For a limit that is null or 0, the sidecar uses its default.
 *
 * @param maxEvents maximum number of queued events
 * @param maxBytes maximum size of the queued events, as encoded. Unit: bytes
 * @param replayBytes replay window in AUTO mode: size of the delivered events that the sidecar retains. Unit: bytes
 * @param overflow what the sidecar does at a limit: stop reading from the daemon, or end the mailbox
 * @param softLimitFraction a limit that the queue may exceed for some time, as a fraction of the queue's other
 * limits: above 0, at most 1
 * @param softLimitTime maximum time that the queue may continuously exceed the soft limit
 */
public record QueueOptions(
    long maxEvents,
    long maxBytes,
    long replayBytes,
    Overflow overflow,
    double softLimitFraction,
    Duration softLimitTime) {
  /** What the sidecar does at a limit. */
  public enum Overflow {
    /** The sidecar stops reading from the daemon. */
    PAUSE,
    /** The mailbox ends. */
    DISCONNECT
  }
}
