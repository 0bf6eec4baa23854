package org.spreadsidecar.client;

import io.grpc.Status;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** The meaning of failures. Rules F1 to F6, C3 and C7 of docs/client-rules.md. */
final class Failures {
  private static final Set<String> TRANSPORT_REASONS = Set.of("CONNECTION_TOO_OLD", Endpoint.SIDECAR_UNREACHABLE);

  private static final Set<Status.Code> TRANSPORT_STATUSES =
      EnumSet.of(Status.Code.UNAVAILABLE, Status.Code.CANCELLED, Status.Code.INTERNAL, Status.Code.UNKNOWN);

  private static final Set<String> STREAM_REASONS = Set.of("RECEIVER_REPLACED", "SEQUENCE_NOT_RETAINED");

  private static final Set<String> MAILBOX_REASONS =
      Set.of(
          "ILLEGAL_SESSION",
          "LEASE_EXPIRED",
          "MAILBOX_DISCONNECTED",
          "CONNECTION_CLOSED",
          "NET_ERROR_ON_SESSION",
          "QUEUE_OVERFLOW",
          "SLOW_CONSUMER",
          "DRAINING");

  private static final Set<Status.Code> UNKNOWN_OUTCOMES =
      EnumSet.of(
          Status.Code.UNAVAILABLE,
          Status.Code.CANCELLED,
          Status.Code.DEADLINE_EXCEEDED,
          Status.Code.INTERNAL,
          Status.Code.UNKNOWN);

  private Failures() {}

  /** F1: whether the connection failed. When the sidecar itself ends a call, the error has a reason. */
  static boolean isTransportFailure(SpreadException error) {
    if (error.reason().isEmpty()) return TRANSPORT_STATUSES.contains(error.status());
    return TRANSPORT_REASONS.contains(error.reason());
  }

  /**
   * F2: whether a later call may succeed.
   *
   * @param tokenMayChange whether the client reads the token again for each call
   */
  static boolean mayPass(SpreadException error, boolean tokenMayChange) {
    return isTransportFailure(error) || (tokenMayChange && error.status() == Status.Code.UNAUTHENTICATED);
  }

  /** F3: whether the error ends a stream, but not its mailbox. */
  static boolean endsStreamOnly(SpreadException error) {
    return STREAM_REASONS.contains(error.reason());
  }

  /** F4: whether the error means that the mailbox has ended. */
  static boolean isMailboxEnded(SpreadException error) {
    return MAILBOX_REASONS.contains(error.reason());
  }

  /** F5. */
  static boolean isRetryable(Status.Code status, boolean hasErrorInfo, boolean hasRetryInfo) {
    return hasRetryInfo || (!hasErrorInfo && status == Status.Code.UNAVAILABLE);
  }

  /**
   * F6: the outcome of a failed send. {@link Endpoint} sets the outcome of the client's own reasons.
   *
   * @param metadata the metadata of the ErrorInfo; null without an ErrorInfo
   */
  static SpreadException.Outcome outcomeOf(Status.Code status, Map<String, String> metadata) {
    String outcome = metadata == null ? null : metadata.get("outcome");
    if ("unknown".equals(outcome)) return SpreadException.Outcome.UNKNOWN;
    if ("not-sent".equals(outcome)) return SpreadException.Outcome.NOT_SENT;
    // With an ErrorInfo, the sidecar itself responded: unless it says otherwise, it rejected the message.
    boolean unknown = metadata != null ? status == Status.Code.INTERNAL : UNKNOWN_OUTCOMES.contains(status);
    return unknown ? SpreadException.Outcome.UNKNOWN : SpreadException.Outcome.NOT_SENT;
  }

  /** C3: whether a disconnect that failed with this error returns false. Otherwise, the disconnect fails. */
  static boolean makesDisconnectReturnFalse(SpreadException error) {
    return isTransportFailure(error) || isMailboxEnded(error);
  }

  /** C7: whether waitForReady repeats a call that failed with this error. */
  static boolean isSidecarNotReady(SpreadException error) {
    return error.status() == Status.Code.UNAVAILABLE || error.status() == Status.Code.DEADLINE_EXCEEDED;
  }
}
