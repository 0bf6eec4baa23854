package org.spreadsidecar.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** The settings of a sidecar in environment variables. docs/client-environment.md has the rules for all clients. */
final class Environment {
  static final String TARGET = "SPREAD_SIDECAR_TARGET";
  private static final String TLS = "SPREAD_SIDECAR_TLS";
  private static final String CA = "SPREAD_SIDECAR_TLS_CA";
  private static final String CERT = "SPREAD_SIDECAR_TLS_CERT";
  private static final String KEY = "SPREAD_SIDECAR_TLS_KEY";
  private static final String SERVER_NAME = "SPREAD_SIDECAR_TLS_SERVER_NAME";
  private static final String TOKEN_FILE = "SPREAD_SIDECAR_TOKEN_FILE";
  private static final String INSECURE = "SPREAD_SIDECAR_INSECURE";

  private final Map<String, String> variables;

  private Environment(Map<String, String> variables) {
    this.variables = variables;
  }

  /**
   * A copy of the options. If the program sets no target, environment variables fill in the others. If the program
   * sets a target, the variables have no effect: a token must not go to a sidecar for which it is not intended.
   *
   * @throws SpreadException FIELD_INVALID for an invalid variable or an unreadable PEM file
   */
  static SidecarOptions complete(SidecarOptions given, Map<String, String> variables) {
    SidecarOptions options = given.copy();
    if (options.target != null) return options;
    Environment environment = new Environment(variables);
    options.target = environment.get(TARGET);
    if (options.tls == null) options.tls = environment.tls();
    if (options.token == null) {
      String path = environment.get(TOKEN_FILE);
      // Reads the file before each call, so that the token can change while the program runs.
      if (path != null) options.token((Supplier<String>) () -> readToken(path));
    }
    if (options.insecure == null) options.insecure = environment.readSwitch(INSECURE);
    return options;
  }

  /** Null if the variable is not set or empty. */
  private String get(String variable) {
    String value = variables.get(variable);
    return value == null || value.isEmpty() ? null : value;
  }

  private TlsOptions tls() {
    Boolean on = readSwitch(TLS);
    byte[] ca = pem(CA);
    byte[] certificate = pem(CERT);
    byte[] key = pem(KEY);
    String serverName = get(SERVER_NAME);
    boolean implied = ca != null || certificate != null || key != null || serverName != null;
    if (!implied && !Boolean.TRUE.equals(on)) return null;
    // The private key may be in the file of the certificate.
    return new TlsOptions(ca, certificate, key == null ? certificate : key, serverName);
  }

  private byte[] pem(String variable) {
    String path = get(variable);
    if (path == null) return null;
    try {
      return Files.readAllBytes(Path.of(path));
    } catch (IOException | InvalidPathException error) {
      throw unreadable(variable, "PEM", path, error);
    }
  }

  private static String readToken(String path) {
    String text;
    try {
      text = Files.readString(Path.of(path));
    } catch (IOException | InvalidPathException error) {
      throw unreadable(TOKEN_FILE, "text", path, error);
    }
    // The format of the sidecar's token files: lines may be comments, and a name may precede the token.
    for (String line : text.split("\n")) {
      String[] words = line.strip().split("\\s+");
      if (!words[0].isEmpty() && !words[0].startsWith("#")) return words[words.length - 1];
    }
    String bound = "the path of a file that contains a token";
    throw Errors.option(TOKEN_FILE, bound, TOKEN_FILE + " must be " + bound + "; " + path + " contains no token");
  }

  private static SpreadException unreadable(String variable, String kind, String path, Exception error) {
    String reason = error instanceof NoSuchFileException ? "no such file" : error.toString();
    String bound = "the path of a readable " + kind + " file";
    return Errors.option(variable, bound, variable + " must be " + bound + "; cannot read " + path + ": " + reason);
  }

  private Boolean readSwitch(String variable) {
    String value = get(variable);
    if (value == null) return null;
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true", "1" -> true;
      case "false", "0" -> false;
      default -> throw Errors.field(variable, "true, false, 1 or 0", value);
    };
  }
}
