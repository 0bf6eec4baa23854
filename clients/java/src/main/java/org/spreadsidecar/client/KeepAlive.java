package org.spreadsidecar.client;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Keeps a mailbox whose application neither receives nor calls: the sidecar ends one that nobody has used for its lease. It asks
 * in thirds of the lease, and only when nothing else did.
 */
final class KeepAlive {
  private final ScheduledFuture<?> timer;
  private volatile long lastUse = System.nanoTime();

  /**
   * @param held whether something else keeps the lease right now
   * @param ping any call that uses the mailbox; its failure is no news, the next real call tells it
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
