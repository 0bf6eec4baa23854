package org.spreadsidecar.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;

/** Random pauses with a maximum that doubles. Rules B1 to B3 of docs/client-rules.md. */
final class Backoff {
  /** A source of random numbers from 0 to 1, for all threads. */
  static final DoubleSupplier RANDOM = () -> ThreadLocalRandom.current().nextDouble();

  private static final Duration FIRST_MAXIMUM = Duration.ofMillis(50);
  private static final Duration LARGEST_STREAM_MAXIMUM = Duration.ofMillis(2000);
  private static final Duration LARGEST_READY_MAXIMUM = Duration.ofMillis(500);

  private final long largestMaximum;
  private final DoubleSupplier random;
  private long maximum = FIRST_MAXIMUM.toNanos();

  private Backoff(Duration largestMaximum, DoubleSupplier random) {
    this.largestMaximum = largestMaximum.toNanos();
    this.random = random;
  }

  /** B1: the pauses of Receive and of acknowledgements. */
  static Backoff ofStream(DoubleSupplier random) {
    return new Backoff(LARGEST_STREAM_MAXIMUM, random);
  }

  /** B3: the pauses of waitForReady. */
  static Backoff ofReady(DoubleSupplier random) {
    return new Backoff(LARGEST_READY_MAXIMUM, random);
  }

  /** B1. */
  long nextNanos() {
    long pause = (long) (random.getAsDouble() * maximum);
    maximum = Math.min(maximum * 2, largestMaximum);
    return pause;
  }

  /** B2. */
  void reset() {
    maximum = FIRST_MAXIMUM.toNanos();
  }
}
