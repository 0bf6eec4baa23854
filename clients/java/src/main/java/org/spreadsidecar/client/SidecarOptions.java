package org.spreadsidecar.client;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * How to reach a sidecar. All options are optional. Each setter returns this object.
 *
 * <p>If the program sets no target, environment variables are the defaults of {@code target}, {@code tls}, {@code
 * token} and {@code insecure}. The project's docs/client-environment.md lists these variables and their rules. If the
 * program sets a target, the environment has no effect.
 */
public final class SidecarOptions {
  /** The default target. */
  public static final String DEFAULT_TARGET = "127.0.0.1:" + Spread.DEFAULT_SIDECAR_PORT;

  /** Null if not set. */
  String target;
  TlsOptions tls;
  Supplier<String> token;
  /** Null if not set. */
  Boolean insecure;
  Duration callTimeout = Duration.ofSeconds(30);
  Duration connectionKeepAlive = Duration.ofSeconds(10);
  final Map<String, String> headers = new LinkedHashMap<>();
  boolean tokenMayChange;

  /**
   * {@code host:port}, {@code unix:/path}, or another form of clients/README.md. Default, also for an empty string:
   * the environment variable SPREAD_SIDECAR_TARGET, or {@code 127.0.0.1:4813} if the variable is not set.
   */
  public SidecarOptions target(String where) {
    target = where.isEmpty() ? null : where;
    return this;
  }

  /** The TLS options. Default: no TLS. This option replaces all SPREAD_SIDECAR_TLS* variables. */
  public SidecarOptions tls(TlsOptions options) {
    tls = options;
    return this;
  }

  /**
   * The client token, sent with every call. The client rejects a channel on which others could read the token; see
   * {@link #insecure}.
   */
  public SidecarOptions token(String value) {
    token = () -> value;
    tokenMayChange = false;
    return this;
  }

  /**
   * A function that returns the token. The client calls it before each call, so that the token can change. It must
   * not block for long.
   */
  public SidecarOptions token(Supplier<String> source) {
    token = source;
    tokenMayChange = true;
    return this;
  }

  /**
   * Whether the client may send the token to another machine without TLS, for example because a service mesh adds
   * TLS. Default: false.
   */
  public SidecarOptions insecure(boolean allowed) {
    insecure = allowed;
    return this;
  }

  /** Timeout of calls without their own timeout. Default: 30 s. */
  public SidecarOptions callTimeout(Duration timeout) {
    callTimeout = timeout;
    return this;
  }

  /**
   * Keepalive interval of a connection with active calls. After this time without data, the client sends a PING. If
   * no response arrives within half of the interval, the client reconnects. Default: 10 s.
   */
  public SidecarOptions connectionKeepAlive(Duration time) {
    connectionKeepAlive = time;
    return this;
  }

  /** A gRPC request header of every call. */
  public SidecarOptions header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  SidecarOptions copy() {
    SidecarOptions copy = new SidecarOptions();
    copy.target = target;
    copy.tls = tls;
    copy.token = token;
    copy.tokenMayChange = tokenMayChange;
    copy.insecure = insecure;
    copy.callTimeout = callTimeout;
    copy.connectionKeepAlive = connectionKeepAlive;
    copy.headers.putAll(headers);
    return copy;
  }
}
