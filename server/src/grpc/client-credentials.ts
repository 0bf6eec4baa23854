import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';

/** How a command of this package speaks TLS to a sidecar. All in PEM. */
export interface ClientTls {
  /** Authorities of the sidecar's certificate, or that certificate itself. Default: those of Node. */
  readonly ca?: Buffer | undefined;
  /** Trust this certificate (the first of the PEM) whatever names it holds, and no other; instead of `ca`. */
  readonly pinned?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/**
 * Channel credentials for TLS.
 *
 * @throws Error of OpenSSL when a PEM cannot be used
 */
export function clientCredentials({ ca, pinned, cert, key }: ClientTls): ChannelCredentials {
  if (ca === undefined && pinned === undefined)
    return credentials.createSsl(null, key ?? null, (key && cert) ?? null);
  const anchor = pinned === undefined ? ca : new X509Certificate(pinned).toString();
  // Like the TLS libraries of the other languages, take a certificate that is no authority as a trust anchor.
  const context = createSecureContext({ ca: anchor, cert, key, allowPartialTrustChain: true });
  return credentials.createFromSecureContext(
    context,
    pinned === undefined ? {} : { checkServerIdentity: () => undefined },
  );
}
