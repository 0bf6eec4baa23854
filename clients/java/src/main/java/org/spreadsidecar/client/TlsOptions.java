package org.spreadsidecar.client;

/**
 * TLS. Everything may be null. Certificates and keys are PEM.
 *
 * @param ca authorities that the sidecar's certificate may be of; default: those of the Java runtime
 * @param certificate this client's certificate, where the sidecar asks for one; with key
 * @param key its private key, PKCS #8
 * @param serverName the name that the sidecar's certificate must be for; default: the host of the target
 */
public record TlsOptions(byte[] ca, byte[] certificate, byte[] key, String serverName) {
  /** TLS with a sidecar whose certificate is for the host of the target. */
  public TlsOptions(byte[] ca, byte[] certificate, byte[] key) {
    this(ca, certificate, key, null);
  }
}
