package org.spreadsidecar.client;

/**
 * TLS options. Each option may be null. Certificates and keys are in PEM.
 *
 * @param ca certificate authorities for the sidecar's certificate; default: the authorities that the Java runtime
 * trusts
 * @param certificate the client certificate, if the sidecar requires one; requires key
 * @param key the private key of the certificate, PKCS #8
 * @param serverName the expected name in the sidecar's certificate; default: the host of the target
 */
public record TlsOptions(byte[] ca, byte[] certificate, byte[] key, String serverName) {
  /** TLS options for a sidecar whose certificate contains the host of the target. */
  public TlsOptions(byte[] ca, byte[] certificate, byte[] key) {
    this(ca, certificate, key, null);
  }
}
