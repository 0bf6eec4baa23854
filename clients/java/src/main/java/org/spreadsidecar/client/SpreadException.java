package org.spreadsidecar.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The exception of this package. {@link #code()} and {@link #number()} are Spread's name and number of the error
 * (REJECT_NOT_UNIQUE, -6). They are empty for failures that Spread does not define, such as an expired lease. {@link
 * #reason()} is set for errors of Spread and of the sidecar.
 */
public final class SpreadException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The outcome of a failed send. The client and the sidecar never send a message twice. */
  public enum Outcome {
    /** No byte of the message reached the daemon. */
    NOT_SENT,
    /** The message may have been sent, for example because a deadline passed or a connection broke. */
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

  /** A copy of the exception for another thread: each thread gets its own stack trace. */
  SpreadException again() {
    return with(getMessage(), metadata, outcome, getCause());
  }

  SpreadException with(String message, Map<String, String> metadata, Outcome outcome, Throwable cause) {
    return new SpreadException(message, status, reason, domain, metadata, retryable, retryDelay, outcome, cause);
  }

  static SpreadException local(Status.Code status, String message) {
    return new SpreadException(message, status, "", "", Map.of(), false, null, null, null);
  }

  /**
   * Contains Spread's code or the reason: {@code org.spreadsidecar.client.SpreadException: REJECT_NOT_UNIQUE (-6):
   * …}.
   */
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
   * {@code ErrorInfo.reason}: Spread's name of the error, or a value of the contract's ErrorReason without its
   * prefix, such as {@code LEASE_EXPIRED}. Empty for failures of the transport.
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

  /** Whether the same call may succeed later. For a send, check {@link #outcome()} first. */
  public boolean isRetryable() {
    return retryable;
  }

  /** Time to wait before a retry, if the sidecar gave one. */
  public Optional<Duration> retryDelay() {
    return Optional.ofNullable(retryDelay);
  }

  /** For a failed send: whether the message may have been sent. Empty for other calls. */
  public Optional<Outcome> outcome() {
    return Optional.ofNullable(outcome);
  }
}
