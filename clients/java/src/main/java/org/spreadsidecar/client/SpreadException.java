package org.spreadsidecar.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Every failure of this package. {@link #code()} and {@link #number()} are Spread's own (REJECT_NOT_UNIQUE, -6) and empty for a
 * failure that Spread has no number for, such as a lease that ended; {@link #reason()} names those too.
 */
public final class SpreadException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What became of a message whose sending failed. Nothing is ever sent twice by the client or the sidecar. */
  public enum Outcome {
    /** No byte of it reached the daemon. */
    NOT_SENT,
    /** That can not be told: a deadline passed, a connection broke. */
    UNKNOWN
  }

  static final String SPREAD_DOMAIN = "spread.org";
  static final String SIDECAR_DOMAIN = "spread-sidecar";

  private final Status.Code status;
  private final String reason;
  private final String domain;
  private final transient Map<String, String> metadata;
  private final boolean retryable;
  private final transient Duration retryDelay;
  private final Outcome outcome;

  SpreadException(
      String message,
      Status.Code status,
      String reason,
      String domain,
      Map<String, String> metadata,
      boolean retryable,
      Duration retryDelay,
      Outcome outcome,
      Throwable cause) {
    super(message, cause);
    this.status = status;
    this.reason = reason;
    this.domain = domain;
    this.metadata = metadata;
    this.retryable = retryable;
    this.retryDelay = retryDelay;
    this.outcome = outcome;
  }

  /** The same failure for another who waits: an exception that is thrown twice would show the first one's stack. */
  SpreadException again() {
    return with(getMessage(), metadata, outcome, getCause());
  }

  SpreadException with(String message, Map<String, String> metadata, Outcome outcome, Throwable cause) {
    return new SpreadException(message, status, reason, domain, metadata, retryable, retryDelay, outcome, cause);
  }

  static SpreadException local(Status.Code status, String message) {
    return new SpreadException(message, status, "", "", Map.of(), false, null, null, null);
  }

  /** With Spread's code or the reason: {@code org.spreadsidecar.client.SpreadException: REJECT_NOT_UNIQUE (-6): …}. */
  @Override
  public String toString() {
    String name = reason.isEmpty() ? status.name() : reason;
    String label = number().isPresent() ? name + " (" + number().getAsInt() + ")" : name;
    return getClass().getName() + ": " + label + ": " + getMessage();
  }

  /** The gRPC status. */
  public Status.Code status() {
    return status;
  }

  /**
   * {@code ErrorInfo.reason}: Spread's name, or a value of the contract's ErrorReason without its prefix, such as {@code
   * LEASE_EXPIRED}. Empty for failures of the transport.
   */
  public String reason() {
    return reason;
  }

  /** {@code ErrorInfo.domain}: {@code spread.org}, {@code spread-sidecar}, or empty. */
  public String domain() {
    return domain;
  }

  /** Spread's name for the error, such as {@code ILLEGAL_GROUP}. */
  public Optional<String> code() {
    return number().isPresent() ? Optional.of(reason) : Optional.empty();
  }

  /** Spread's number for the error, such as -14. */
  public OptionalInt number() {
    Integer number = domain.equals(SPREAD_DOMAIN) ? Spread.ERRORS.get(reason) : null;
    return number == null ? OptionalInt.empty() : OptionalInt.of(number);
  }

  /** {@code ErrorInfo.metadata}, such as {@code field} and {@code bound}. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /** Whether the same call may succeed later. For a send, see {@link #outcome()} first. */
  public boolean isRetryable() {
    return retryable;
  }

  /** How long to wait before the next try, if the sidecar said so. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(retryDelay);
  }

  /** For a failed send: whether the message may have been sent. Empty for other calls. */
  public Optional<Outcome> outcome() {
    return Optional.ofNullable(outcome);
  }
}
