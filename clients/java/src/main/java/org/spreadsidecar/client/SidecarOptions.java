package org.spreadsidecar.client;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * How to reach a sidecar. Everything is optional; each setter returns this.
 *
 * <p>Without a target, environment variables are the defaults of {@code target}, {@code tls}, {@code token} and {@code insecure}:
 * SPREAD_SIDECAR_TARGET, SPREAD_SIDECAR_TLS and others, SPREAD_SIDECAR_TOKEN_FILE, SPREAD_SIDECAR_INSECURE. The project's
 * docs/client-environment.md has the rules. With a target, the environment is not used.
 */
public final class SidecarOptions {
  /** The target when neither the program nor the environment names one. */
  public static final String DEFAULT_TARGET = "127.0.0.1:" + Spread.DEFAULT_SIDECAR_PORT;

  /** Null: not given. */
  String target;
  TlsOptions tls;
  Supplier<String> token;
  /** Null: not given. */
  Boolean insecure;
  Duration callTimeout = Duration.ofSeconds(30);
  Duration connectionKeepAlive = Duration.ofSeconds(10);
  final Map<String, String> headers = new LinkedHashMap<>();
  boolean tokenMayChange;

  /**
   * {@code host:port}, {@code unix:/path}, or another form of clients/README.md. Default, also for an empty text: the variable
   * SPREAD_SIDECAR_TARGET, else {@code 127.0.0.1:4813}.
   */
  public SidecarOptions target(String where) {
    target = where.isEmpty() ? null : where;
    return this;
  }

  /** Speaks TLS. Default: not. Replaces all variables SPREAD_SIDECAR_TLS*. */
  public SidecarOptions tls(TlsOptions options) {
    tls = options;
    return this;
  }

  /** The client token, sent with every call. Never sent where others could read it; see {@link #insecure}. */
  public SidecarOptions token(String value) {
    token = () -> value;
    tokenMayChange = false;
    return this;
  }

  /** Asked for the token before each call, so that it may change; must not block for long. */
  public SidecarOptions token(Supplier<String> source) {
    token = source;
    tokenMayChange = true;
    return this;
  }

  /** Sends the token without TLS to another machine too. Default: false. */
  public SidecarOptions insecure(boolean allowed) {
    insecure = allowed;
    return this;
  }

  /** For calls that name no timeout of their own. Default: 30 s. */
  public SidecarOptions callTimeout(Duration timeout) {
    callTimeout = timeout;
    return this;
  }

  /** A silent connection with calls is asked for a sign of life after so long, and given up after half as long again. Default: 10 s. */
  public SidecarOptions connectionKeepAlive(Duration time) {
    connectionKeepAlive = time;
    return this;
  }

  /** A header that is sent with every call. */
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
