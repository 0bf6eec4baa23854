package org.spreadsidecar.client;

import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The address of a sidecar.
 *
 * @param path path of a Unix socket; null for a host and a port
 */
record Target(String path, String host, int port) {
  /** The target forms of all clients. clients/README.md describes them. */
  private static final String FORMS =
      "host:port, [ipv6-address]:port, dns:host:port, ipv4:address:port, ipv6:[address]:port or unix:path";

  /** Maximum length of the path in a Unix socket address. Unit: bytes. */
  private static final int MAX_PATH_BYTES = 107;

  private static final int MAX_HOST_CHARACTERS = 253;
  private static final int MAX_PORT = 65_535;

  private static final Pattern KNOWN_SCHEME = Pattern.compile("(unix|dns|ipv4|ipv6):(.*)", Pattern.DOTALL);
  private static final Pattern BRACKETED = Pattern.compile("\\[([^\\]]*)\\](?::(.*))?", Pattern.DOTALL);
  private static final Pattern IPV4_PART = Pattern.compile("0|[1-9]\\d{0,2}");

  /** The reason why a target is invalid, and a hint. */
  private static final class InvalidTarget extends Exception {
    private static final long serialVersionUID = 1L;
    final String hint;

    InvalidTarget(String why, String hint) {
      super(why);
      this.hint = hint;
    }

    InvalidTarget(String why) {
      this(why, "");
    }
  }

  /**
   * Parses a target.
   *
   * @param field the option or environment variable with the target, for error messages
   * @throws SpreadException FIELD_INVALID
   */
  static Target parse(String text, String field) {
    try {
      return read(text);
    } catch (InvalidTarget invalid) {
      throw new SpreadException(
          field + " \"" + text + "\" " + invalid.getMessage() + "; expected " + FORMS + invalid.hint,
          Status.Code.INVALID_ARGUMENT,
          "FIELD_INVALID",
          SpreadException.SIDECAR_DOMAIN,
          Map.of("field", field, "bound", FORMS),
          false,
          null,
          SpreadException.Outcome.NOT_SENT,
          null);
    }
  }

  boolean isUnix() {
    return path != null;
  }

  /**
   * Whether the target is on this machine, so that no other machine can read the traffic. A host name other than
   * localhost counts as another machine.
   */
  boolean isOnThisMachine() {
    if (isUnix() || host.equalsIgnoreCase("localhost")) return true;
    if (isIpv6(host)) return isLoopbackIpv6(host);
    return isIpv4(host) && host.startsWith("127.");
  }

  /**
   * The target for error messages: always with the port.
   *
   * @param text the target as the application gave it
   */
  String inMessages(String text) {
    if (isUnix()) return text;
    return (isIpv6(host) ? "[" + host + "]" : host) + ":" + port;
  }

  private static Target read(String text) throws InvalidTarget {
    Matcher known = KNOWN_SCHEME.matcher(text);
    if (!known.matches()) {
      int at = text.indexOf("://");
      if (at < 0) return readAddress(text);
      String scheme = text.substring(0, at);
      String hint = scheme.matches("(?i)https?") ? "; set the option tls to use TLS" : "";
      throw new InvalidTarget("has the unsupported scheme \"" + scheme + "\"", hint);
    }
    String rest = known.group(2);
    switch (known.group(1)) {
      case "unix":
        return readPath(rest);
      case "dns":
        if (!rest.startsWith("//")) return readAddress(rest);
        if (!rest.startsWith("///")) throw new InvalidTarget("names a DNS server, which is not supported");
        return readAddress(rest.substring(3));
      case "ipv4":
        Target four = readAddress(rest);
        if (!isIpv4(four.host)) throw new InvalidTarget("has an invalid IPv4 address \"" + four.host + "\"");
        return four;
      default:
        Target six = readAddress(rest);
        if (!isIpv6(six.host)) throw new InvalidTarget("has an invalid IPv6 address \"" + six.host + "\"");
        return six;
    }
  }

  private static Target readPath(String rest) throws InvalidTarget {
    String path = rest.startsWith("//") ? rest.substring(2) : rest;
    if (path.isEmpty()) throw new InvalidTarget("has no path");
    if (!path.equals(rest) && !path.startsWith("/")) throw new InvalidTarget("has a host before the path");
    int bytes = path.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > MAX_PATH_BYTES) throw new InvalidTarget("has a path of " + bytes + " bytes (must be at most " + MAX_PATH_BYTES + ")");
    return new Target(path, null, 0);
  }

  private static Target readAddress(String text) throws InvalidTarget {
    Matcher bracketed = BRACKETED.matcher(text);
    if (bracketed.matches()) {
      String address = bracketed.group(1);
      if (!isIpv6(address)) throw new InvalidTarget("has an invalid IPv6 address \"" + address + "\"");
      return new Target(null, address, toPort(bracketed.group(2)));
    }
    int colon = text.indexOf(':');
    if (colon >= 0 && text.indexOf(':', colon + 1) >= 0)
      throw new InvalidTarget(
          text.matches("[0-9a-fA-F:.]+")
              ? "has an IPv6 address without brackets"
              : "has an invalid host \"" + text + "\"");
    String host = colon < 0 ? text : text.substring(0, colon);
    if (host.isEmpty()) throw new InvalidTarget("has no host");
    if (!host.matches("[A-Za-z0-9_.-]+") || host.length() > MAX_HOST_CHARACTERS)
      throw new InvalidTarget("has an invalid host \"" + host + "\"");
    return new Target(null, host, toPort(colon < 0 ? null : text.substring(colon + 1)));
  }

  private static int toPort(String text) throws InvalidTarget {
    if (text == null) return Spread.DEFAULT_SIDECAR_PORT;
    int port = text.matches("\\d{1,5}") ? Integer.parseInt(text) : 0;
    if (port < 1 || port > MAX_PORT) throw new InvalidTarget("has an invalid port \"" + text + "\" (must be from 1 to " + MAX_PORT + ")");
    return port;
  }

  private static boolean isIpv4(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != 4) return false;
    for (String part : parts)
      if (!IPV4_PART.matcher(part).matches() || Integer.parseInt(part) > 255) return false;
    return true;
  }

  /** Java's address parser queries the DNS for other texts, so check the form first. */
  private static boolean isIpv6(String text) {
    if (!text.contains(":") || !text.matches("[0-9a-fA-F:.]+")) return false;
    try {
      java.net.InetAddress.getByName("[" + text + "]");
      return true;
    } catch (java.net.UnknownHostException none) {
      return false;
    }
  }

  private static boolean isLoopbackIpv6(String text) {
    try {
      return java.net.InetAddress.getByName("[" + text + "]").isLoopbackAddress();
    } catch (java.net.UnknownHostException none) {
      return false;
    }
  }
}
