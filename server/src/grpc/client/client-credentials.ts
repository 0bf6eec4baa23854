import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** How a command of this package speaks TLS to a sidecar. All in PEM. */
export interface ClientTls {
  /** Authorities of the sidecar's certificate, or that certificate itself. Default: those of Node. */
  readonly ca?: Buffer | undefined;
  /** Trust this certificate (the first of the PEM) whatever names it holds, and no other; instead of `ca`. */
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
  // Like the TLS libraries of the other languages, take a certificate that is no authority as a trust anchor.
  const context = createSecureContext({ ca: anchor, cert, key, allowPartialTrustChain: true });
  return credentials.createFromSecureContext(context, verify);
}
