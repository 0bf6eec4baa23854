package org.spreadsidecar.client;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Creates exceptions from errors of gRPC and from errors in the client. */
final class Errors {
  private Errors() {}

  /** @param send whether the call sends a message, so that its error has an outcome */
  static SpreadException of(Throwable thrown, boolean send) {
    if (thrown instanceof SpreadException error) return error;
    Status status = Status.fromThrowable(thrown);
    ErrorInfo info = null;
    Duration retryDelay = null;
    if (thrown instanceof StatusRuntimeException || thrown instanceof StatusException) {
      com.google.rpc.Status details = details(thrown);
      if (details != null) {
        for (Any any : details.getDetailsList()) {
          try {
            if (any.is(ErrorInfo.class)) info = any.unpack(ErrorInfo.class);
            if (any.is(RetryInfo.class)) retryDelay = durationOf(any.unpack(RetryInfo.class).getRetryDelay());
          } catch (InvalidProtocolBufferException ignored) {
            // Invalid details must not hide the status and its message.
          }
        }
      }
    }
    Status.Code code = status.getCode();
    String text = status.getDescription();
    if (text == null) text = status.getCause() == null ? code.name() : String.valueOf(status.getCause().getMessage());
    return new SpreadException(
        withOptionName(text, info == null ? "" : info.getMetadataOrDefault("field", "")),
        code,
        info == null ? "" : info.getReason(),
        info == null ? "" : info.getDomain(),
        info == null ? Map.of() : Map.copyOf(info.getMetadataMap()),
        Failures.isRetryable(code, info != null, retryDelay != null),
        retryDelay,
        send ? Failures.outcomeOf(code, info == null ? null : info.getMetadataMap()) : null,
        // The exception contains the whole response of a sidecar. As a cause, a stack trace would print it twice.
        info == null ? thrown : null);
  }

  /** Fields whose option in this client is not just the camelCase form of the name in the contract. */
  private static final Map<String, String> OPTION_NAMES =
      Map.of("daemon", "spreadName", "up_to_sequence", "upTo");

  /** Replaces the name of the field in a message of the sidecar with the name of the option. */
  static String withOptionName(String sentence, String field) {
    if (field.isEmpty() || !sentence.startsWith(field + " ")) return sentence;
    // The names of headers are the application's.
    if (field.startsWith("headers[")) return sentence;
    String option = OPTION_NAMES.get(field);
    if (option == null)
      option = Pattern.compile("_([a-z])").matcher(field).replaceAll(found -> found.group(1).toUpperCase(Locale.ROOT));
    return option + sentence.substring(field.length());
  }

  /** F7: null if the details are malformed. */
  private static com.google.rpc.Status details(Throwable thrown) {
    try {
      return StatusProto.fromThrowable(thrown);
    } catch (RuntimeException nonsense) {
      return null;
    }
  }

  static SpreadException timeout(String message) {
    return new SpreadException(
        message,
        Status.Code.DEADLINE_EXCEEDED,
        "DEADLINE_EXCEEDED",
        SpreadException.SIDECAR_DOMAIN,
        Map.of(),
        true,
        null,
        null,
        null);
  }

  /** Keeps the thread's interrupt flag for the caller. */
  static SpreadException interrupted(String message, InterruptedException cause) {
    Thread.currentThread().interrupt();
    return SpreadException.local(Status.Code.CANCELLED, message)
        .with(message, Map.of(), null, cause);
  }

  static SpreadException field(String field, String bound, Object value) {
    return option(field, bound, field + " must be " + bound + "; got " + value);
  }

  /** The error of an option, or of options that exclude each other. */
  static SpreadException option(String field, String bound, String message) {
    return new SpreadException(
        message,
        Status.Code.INVALID_ARGUMENT,
        "FIELD_INVALID",
        SpreadException.SIDECAR_DOMAIN,
        Map.of("field", field, "bound", bound),
        false,
        null,
        SpreadException.Outcome.NOT_SENT,
        null);
  }

  /** The error of every call of a mailbox after disconnect or detach. */
  static SpreadException disconnected() {
    return new SpreadException(
        "the mailbox is disconnected",
        Status.Code.NOT_FOUND,
        "ILLEGAL_SESSION",
        SpreadException.SPREAD_DOMAIN,
        Map.of("spread_code", String.valueOf(Spread.ILLEGAL_SESSION)),
        false,
        null,
        SpreadException.Outcome.NOT_SENT,
        null);
  }

  /** The error of every call on a closed channel. */
  static SpreadException channelClosed() {
    return SpreadException.local(Status.Code.CANCELLED, "the channel is closed")
        .with("the channel is closed", Map.of(), SpreadException.Outcome.NOT_SENT, null);
  }

  /** C6: a response violates the contract. {@code problem} continues "the response of GetView". */
  static SpreadException invalidResponse(String call, String problem) {
    return SpreadException.local(Status.Code.INTERNAL, "the response of " + call + " " + problem);
  }

  /** C6: gRPC reports a response that it cannot decode as CANCELLED, because the client then cancels the call. */
  static boolean isUndecodableResponse(Throwable thrown) {
    Status status = Status.fromThrowable(thrown);
    if (status.getCode() != Status.Code.CANCELLED) return false;
    for (Throwable at = status.getCause(); at != null; at = at.getCause())
      if (at instanceof InvalidProtocolBufferException) return true;
    return false;
  }

  static Duration durationOf(com.google.protobuf.Duration duration) {
    return Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
  }

  static com.google.protobuf.Duration durationOf(Duration duration) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }
}
