package org.spreadsidecar.client;

import java.util.function.DoubleSupplier;

/**
 * When the client acknowledges, and up to which sequence. Rules A1 to A4 of docs/client-rules.md. The caller makes
 * the calls, waits for the pauses, and synchronizes.
 */
final class AcknowledgementRules {
  /** No call is due. The first sequence of a mailbox is 1. */
  static final long NONE = 0;

  /** What the client does after a failed call. */
  enum AfterFailure {
    /** A3: repeat the call after a pause. */
    REPEAT,
    /** A2: make no further call, and report nothing. */
    STOP,
    /** A4: make no further call, and end receiving with the error. */
    FAIL
  }

  private final boolean tokenMayChange;
  private final Backoff backoff;
  private long requested;
  private long acknowledged;
  private long open;
  private boolean isPausing;
  private boolean closed;

  AcknowledgementRules(boolean tokenMayChange, DoubleSupplier random) {
    this.tokenMayChange = tokenMayChange;
    this.backoff = Backoff.ofStream(random);
  }

  static AfterFailure afterFailure(SpreadException error, boolean tokenMayChange) {
    // A2. First, because the error of a mailbox that has ended can be retryable.
    if (Failures.isMailboxEnded(error)) return AfterFailure.STOP;
    boolean repeats = Failures.mayPass(error, tokenMayChange) || error.isRetryable() || error.reason().isEmpty();
    return repeats ? AfterFailure.REPEAT : AfterFailure.FAIL;
  }

  /** A1: returns the sequence to acknowledge now, or NONE. */
  long onRequest(long upTo) {
    requested = Math.max(requested, upTo);
    return next();
  }

  /** A1, B2: returns the sequence to acknowledge now, or NONE. */
  long onSuccess() {
    acknowledged = open;
    open = NONE;
    backoff.reset();
    return next();
  }

  /** A2 to A4. If the result is REPEAT, a pause of {@link #pauseNanos} must follow. */
  AfterFailure onFailure(SpreadException error) {
    open = NONE;
    if (closed) return AfterFailure.STOP;
    AfterFailure after = afterFailure(error, tokenMayChange);
    if (after == AfterFailure.REPEAT) isPausing = true;
    else closed = true;
    return after;
  }

  /** A3, B1. */
  long pauseNanos() {
    return backoff.nextNanos();
  }

  /** A3: returns the sequence to acknowledge now, or NONE. */
  long onPauseEnd() {
    isPausing = false;
    return next();
  }

  /** C4: no call follows. */
  void close() {
    closed = true;
  }

  private long next() {
    if (closed || isPausing || open != NONE || requested <= acknowledged) return NONE;
    open = requested;
    return open;
  }
}
