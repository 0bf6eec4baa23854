package org.spreadsidecar.client;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Renews the lease of a mailbox whose application neither receives nor calls. The sidecar ends a mailbox that is
 * unused for its lease. Calls after each third of the lease without other use.
 */
final class KeepAlive {
  private final ScheduledFuture<?> timer;
  private volatile long lastUse = System.nanoTime();

  /**
   * @param held whether a stream keeps the lease now
   * @param ping a call that uses the mailbox. Its failure is ignored: the next call of the application reports it
   */
  KeepAlive(ScheduledExecutorService timers, Duration lease, BooleanSupplier held, Runnable ping) {
    long pause = Math.max(lease.toMillis() / 3, 50);
    timer =
        timers.scheduleAtFixedRate(
            () -> {
              if (held.getAsBoolean()) return;
              if (System.nanoTime() - lastUse < TimeUnit.MILLISECONDS.toNanos(pause)) return;
              used();
              ping.run();
            },
            pause / 2,
            pause / 2,
            TimeUnit.MILLISECONDS);
  }

  void used() {
    lastUse = System.nanoTime();
  }

  void close() {
    timer.cancel(false);
  }
}
