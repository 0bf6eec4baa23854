import { constants, createHash, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls';
import { socketBelow } from './internals.js';
import type { ConnectionIdentity } from './sessions/connection-identity.js';

/** The certificate of a TLS server and its trusted CAs. All in PEM. */
export interface TlsMaterial {
  /** The server's certificate, then its chain to the CA. */
  readonly certificate: Buffer;
  readonly key: Buffer;
  /**
   * CAs of client certificates. If set, each client must have a certificate of one of them. Undefined: no client
   * certificates.
   */
  readonly clientAuthorities?: Buffer | undefined;
}

/** The reason of a failed handshake, as a metric's label. */
export type HandshakeFailure = 'not-tls' | 'client-certificate' | 'protocol' | 'timeout' | 'gone';

export interface TlsEndpointOptions {
  /** Called for each failed handshake. */
  readonly onFailure?: (failure: HandshakeFailure, peer: string, error: Error) => void;
  /** Time limit of a handshake. Unit: ms. Default: 10,000. */
  readonly handshakeTimeoutMs?: number;
}

/** Ciphers of TLS 1.2 that HTTP/2 allows. TLS 1.3 has only allowed ones. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

/**
 * Makes TLS connections of accepted ones. The material can be replaced at run time: open connections continue, and
 * later ones get the new material.
 */
export class TlsEndpoint {
  readonly #server: Server;
  readonly #wantsClients: boolean;
  #validTo: Date;
  #onSecure: (connection: TLSSocket, identity: ConnectionIdentity) => void = (connection) =>
    connection.destroy();

  /** @throws Error that describes the mistake in the material, without its content */
  constructor(material: TlsMaterial, options: TlsEndpointOptions = {}) {
    this.#validTo = checkMaterial(material);
    this.#wantsClients = material.clientAuthorities !== undefined;
    this.#server = createServer({
      ...contextOptions(material),
      // A client that offers another protocol gets an alert.
      ALPNProtocols: ['h2'],
      requestCert: this.#wantsClients,
      rejectUnauthorized: this.#wantsClients,
      handshakeTimeout: options.handshakeTimeoutMs ?? 10_000,
    });
    const { onFailure = () => {} } = options;
    this.#server.on('secureConnection', (connection) => {
      connection.on('error', () => connection.destroy());
      if (connection.alpnProtocol === 'h2') this.#onSecure(connection, this.#identityOf(connection));
      else {
        onFailure('protocol', peerOf(connection), new Error('the client did not offer HTTP/2 by ALPN'));
        connection.destroy();
      }
    });
    this.#server.on('tlsClientError', (error, connection) => {
      // Node ends a handshake with a rejected certificate without an error of its own.
      const { authorizationError } = connection as { authorizationError?: unknown };
      if (authorizationError)
        onFailure('client-certificate', peerOf(connection), new Error(String(authorizationError)));
      else onFailure(failureOf(error), peerOf(connection), error);
      connection.destroy();
    });
  }

  /** The end of the validity of the current certificate. */
  get validTo(): Date {
    return this.#validTo;
  }

  /** Sets the receiver of the connections. */
  serve(onSecure: (connection: TLSSocket, identity: ConnectionIdentity) => void): void {
    this.#onSecure = onSecure;
  }

  /** Starts the handshake. */
  accept(connection: Socket): void {
    // Reads the address so that peerOf still knows it later.
    void connection.remoteAddress;
    this.#server.emit('connection', connection);
  }

  /**
   * Replaces the material.
   *
   * @throws like the constructor; then nothing changes
   */
  replace(material: TlsMaterial): void {
    const validTo = checkMaterial(material);
    if ((material.clientAuthorities !== undefined) !== this.#wantsClients)
      throw new Error('client certificates cannot become required or optional while the server runs');
    this.#server.setSecureContext(contextOptions(material));
    this.#validTo = validTo;
  }

  /**
   * Uses issuer, subject and alternative names, which stay the same when a certificate is renewed. Two CAs may
   * issue the same subject to different clients, so the issuer is part of the identity.
   */
  #identityOf(connection: TLSSocket): ConnectionIdentity {
    if (!this.#wantsClients) return 'tls';
    const { raw } = connection.getPeerCertificate();
    const { issuer, subject, subjectAltName, fingerprint256 } = new X509Certificate(raw);
    // JSON separates the parts unambiguously.
    const named = JSON.stringify(
      subject || subjectAltName ? [issuer, subject ?? '', subjectAltName ?? ''] : [fingerprint256],
    );
    return `certificate:${createHash('sha256').update(named).digest('hex')}`;
  }
}

function contextOptions({ certificate, key, clientAuthorities }: TlsMaterial): TlsOptions {
  return {
    cert: certificate,
    key,
    ...(clientAuthorities === undefined ? {} : { ca: clientAuthorities }),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // TLS does not check a resumed session against the current CAs, nor for the end of the certificate's validity.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** @returns the end of the certificate's validity */
function checkMaterial(material: TlsMaterial): Date {
  const { validTo, notYet } = readCertificate('the certificate', material.certificate);
  if (validTo.getTime() <= Date.now()) throw new Error(`the certificate expired at ${validTo.toISOString()}`);
  if (notYet) throw new Error(`the certificate is valid only from ${notYet.toISOString()}`);
  // Node treats an empty CA as "the CAs of the system", which would accept almost every client.
  if (material.clientAuthorities !== undefined)
    readCertificate('the client authorities', material.clientAuthorities);
  // OpenSSL reports a missing key, and a key of another certificate, without naming either.
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(material.key.toString('latin1')))
    throw new Error('the file contains no PEM private key: set the file of the key in grpc.tlsKey');
  try {
    createSecureContext(contextOptions(material));
  } catch (error) {
    throw new Error(
      `the private key in grpc.tlsKey does not belong to the certificate, or is invalid: ${reasonOf(error)}`,
    );
  }
  return validTo;
}

function readCertificate(what: string, pem: Buffer): { validTo: Date; notYet: Date | undefined } {
  if (!pem.includes('-----BEGIN CERTIFICATE-----'))
    throw new Error(`${what}: the file contains no PEM certificate`);
  try {
    const { validFrom, validTo } = new X509Certificate(pem);
    const from = new Date(validFrom);
    return { validTo: new Date(validTo), notYet: from.getTime() > Date.now() ? from : undefined };
  } catch (error) {
    throw new Error(`${what}: ${reasonOf(error)}`);
  }
}

/** OpenSSL's reason. Its messages contain no content of the files. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as { reason?: string; message: string };
  return reason ?? message;
}

function failureOf(error: Error): HandshakeFailure {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'gone';
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_HTTP_REQUEST') return 'not-tls';
  if (/CERT|UNABLE_TO|SELF_SIGNED/.test(code)) return 'client-certificate';
  return 'protocol';
}

/**
 * The address of a client. A broken connection has lost it, but the connection below still knows it if it was read
 * before.
 */
function peerOf(connection: Socket): string {
  const below = socketBelow(connection);
  const { remoteAddress, remotePort } = connection.remoteAddress === undefined && below ? below : connection;
  return remoteAddress === undefined ? 'unknown' : `${remoteAddress}:${remotePort}`;
}
