package org.spreadsidecar.client;

import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Map;
import java.util.Set;

/**
 * The properties of a channel that its errors depend on.
 *
 * @param name the target in error messages
 */
record Endpoint(String name, Target target, boolean hasTls) {
  /** The reason of calls that failed because no connection to the sidecar was possible. F6: nothing was sent. */
  static final String SIDECAR_UNREACHABLE = "SIDECAR_UNREACHABLE";

  /** The reason of calls to a server that does not implement them. F6: nothing was sent. */
  static final String NOT_A_SIDECAR = "NOT_A_SIDECAR";

  private static final String PORTS =
      "check that the port is the gRPC port (4813 by default), not the admin port (4814 by default)";
  private static final String CHECK = "check that a sidecar listens there";
  private static final Set<Status.Code> NO_CONNECTION =
      Set.of(Status.Code.UNAVAILABLE, Status.Code.INTERNAL, Status.Code.UNKNOWN);

  /** The reason of a failed connection, for programs and for people. */
  private record Why(String cause, String sentence) {}

  /**
   * The error of a call.
   *
   * @param method the method of the call
   * @param call has no remote address if it had no connection, so that nothing was sent
   * @param send whether the call sends a message, so that its error has an outcome
   */
  SpreadException explain(Throwable thrown, MethodDescriptor<?, ?> method, ClientCall<?, ?> call, boolean send) {
    if (Errors.isUndecodableResponse(thrown)) {
      SpreadException error = Errors.invalidResponse(method.getBareMethodName(), "cannot be decoded");
      return error.with(error.getMessage(), Map.of(), send ? SpreadException.Outcome.UNKNOWN : null, thrown);
    }
    SpreadException error = Errors.of(thrown, send);
    if (!error.reason().isEmpty() || !(thrown instanceof StatusRuntimeException)) return error;
    if (error.status() == Status.Code.UNIMPLEMENTED) return unknownCall(thrown);
    boolean isConnected = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR) != null;
    return !isConnected && NO_CONNECTION.contains(error.status()) ? unreachable(textOf(thrown)) : error;
  }

  private SpreadException unknownCall(Throwable thrown) {
    String message =
        "the server at "
            + name
            + " does not support this call; "
            + PORTS
            + "; update the sidecar if it is older than this client";
    return new SpreadException(
        message,
        Status.Code.UNIMPLEMENTED,
        NOT_A_SIDECAR,
        SpreadException.SIDECAR_DOMAIN,
        Map.of("target", name),
        false,
        null,
        SpreadException.Outcome.NOT_SENT,
        thrown);
  }

  private SpreadException unreachable(String text) {
    Why why = whyOf(text);
    return new SpreadException(
        "the sidecar at " + name + " cannot be reached: " + why.sentence(),
        Status.Code.UNAVAILABLE,
        SIDECAR_UNREACHABLE,
        SpreadException.SIDECAR_DOMAIN,
        Map.of("target", name, "cause", why.cause()),
        true,
        null,
        SpreadException.Outcome.NOT_SENT,
        null);
  }

  private Why whyOf(String text) {
    if (has(text, "Unable to resolve host", "UnknownHostException"))
      return new Why("name-resolution", "the host name \"" + target.host() + "\" cannot be resolved");
    if (has(text, "Connection refused")) return new Why("connection-refused", "connection refused; " + CHECK);
    if (has(text, "No such file or directory", "FileNotFoundException")) return new Why("no-socket", "no such socket file; " + CHECK);
    if (has(text, "Permission denied")) return new Why("permission-denied", "permission denied");
    if (has(text, "No route to host", "Network is unreachable", "connection timed out"))
      return new Why("no-route", lastOf(text) + "; " + CHECK);
    if (!hasTls)
      return new Why(
          "not-grpc",
          "the port does not accept gRPC without TLS; set the option tls if the sidecar uses TLS, and " + PORTS);
    if (has(text, "not an SSL/TLS record", "WRONG_VERSION_NUMBER", "Unsupported or unrecognized SSL message"))
      return new Why(
          "tls-not-offered",
          "the port does not accept TLS; set the option tls only if the sidecar uses TLS, and " + PORTS);
    if (has(text, "PKIX", "CertificateException", "certification path", "subject alternative", "CERTIFICATE_VERIFY_FAILED"))
      return new Why(
          "tls-certificate",
          "the client rejects the sidecar's certificate ("
              + lastOf(text)
              + "); set the expected certificate authority or server name with the option tls");
    return new Why("other", lastOf(text));
  }

  private static boolean has(String text, String... parts) {
    for (String part : parts) if (text.contains(part)) return true;
    return false;
  }

  /** The messages of gRPC and Netty, from the outermost error to the innermost, one per line. */
  private static String textOf(Throwable thrown) {
    StringBuilder text = new StringBuilder();
    for (Throwable at = thrown; at != null && at != at.getCause(); at = at.getCause())
      text.append(at.getClass().getSimpleName()).append(": ").append(at.getMessage()).append('\n');
    return text.toString().strip();
  }

  private static String lastOf(String text) {
    String last = text.substring(text.lastIndexOf('\n') + 1);
    return last.replaceFirst("^\\w+(Exception|Error): ", "");
  }
}
