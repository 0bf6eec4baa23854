package org.spreadsidecar.client;

import java.time.Duration;

/**
 * When the client must keep the lease of a mailbox. Rules K1 and K2 of docs/client-rules.md. All times are
 * nanoseconds of a monotonic clock (T1).
 */
final class LeaseRules {
  private static final int LEASE_FRACTION = 3;
  private static final Duration SHORTEST_IDLE_TIME = Duration.ofMillis(50);
  private static final int CHECKS = 2;

  private final long idleNanos;
  // Several threads call the mailbox.
  private volatile long lastUse;

  LeaseRules(Duration lease, long now) {
    idleNanos = Math.max(lease.toNanos() / LEASE_FRACTION, SHORTEST_IDLE_TIME.toNanos());
    lastUse = now;
  }

  /** K2: the interval of the checks. */
  long checkNanos() {
    return idleNanos / CHECKS;
  }

  /** K1: a call uses the mailbox. */
  void onUse(long now) {
    lastUse = now;
  }

  /** K1, T2: whether the client must call now. The call counts as use. */
  boolean isCallDue(long now, boolean isAttached) {
    if (isAttached || now - lastUse < idleNanos) return false;
    lastUse = now;
    return true;
  }
}
