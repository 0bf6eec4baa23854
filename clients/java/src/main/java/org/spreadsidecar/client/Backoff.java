package org.spreadsidecar.client;

import java.util.concurrent.ThreadLocalRandom;

/** Pauses that double, with jitter. Unit: ms. */
final class Backoff {
  private final long first;
  private final long longest;
  private long next;

  Backoff(long first, long longest) {
    this.first = first;
    this.longest = longest;
    this.next = first;
  }

  long next() {
    long pause = next;
    next = Math.min(next * 2, longest);
    return (long) (pause * (0.5 + ThreadLocalRandom.current().nextDouble() / 2));
  }

  void reset() {
    next = first;
  }
}
