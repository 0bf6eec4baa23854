package org.spreadsidecar.client;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Keeps the lease of a mailbox whose application neither receives nor calls. The sidecar ends a mailbox that is
 * unused for its lease.
 */
final class KeepAlive {
  private final LeaseRules rules;
  private final ScheduledFuture<?> timer;

  /**
   * @param isAttached whether a stream keeps the lease now
   * @param call a call that uses the mailbox
   */
  KeepAlive(ScheduledExecutorService timers, Duration lease, BooleanSupplier isAttached, Runnable call) {
    rules = new LeaseRules(lease, System.nanoTime());
    // With a fixed delay, a stopped process makes only one check when it continues (T2).
    timer =
        timers.scheduleWithFixedDelay(
            () -> {
              if (rules.isCallDue(System.nanoTime(), isAttached.getAsBoolean())) call.run();
            },
            rules.checkNanos(),
            rules.checkNanos(),
            TimeUnit.NANOSECONDS);
  }

  void used() {
    rules.onUse(System.nanoTime());
  }

  void close() {
    timer.cancel(false);
  }
}
