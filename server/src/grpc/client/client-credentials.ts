import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** The TLS options of a command of this package. All in PEM. */
export interface ClientTls {
  /** CAs of the sidecar's certificate, or that certificate itself. Default: those of Node. */
  readonly ca?: Buffer | undefined;
  /** Trusts only this certificate (the first of the PEM), whatever its names are. Replaces `ca`. */
  readonly pinned?: Buffer | undefined;
  /** The IP address that the certificate must be for, instead of the name that the client sends. */
  readonly address?: string | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/**
 * Channel credentials for TLS.
 *
 * @throws Error of OpenSSL when a PEM cannot be used
 */
export function clientCredentials({ ca, pinned, address, cert, key }: ClientTls): ChannelCredentials {
  const check =
    pinned === undefined
      ? address && ((_name: string, peer: PeerCertificate) => checkServerIdentity(address, peer))
      : () => undefined;
  const verify = check ? { checkServerIdentity: check } : {};
  if (ca === undefined && pinned === undefined)
    return credentials.createSsl(null, key ?? null, (key && cert) ?? null, verify);
  const anchor = pinned === undefined ? ca : new X509Certificate(pinned).toString();
  // Accepts a certificate that is not a CA as a trust anchor, like the TLS libraries of the other languages.
  const context = createSecureContext({ ca: anchor, cert, key, allowPartialTrustChain: true });
  return credentials.createFromSecureContext(context, verify);
}
