import { createPrivateKey, X509Certificate } from 'node:crypto';
import { CommandFailure } from '../command-failure.js';
import { ExitCode } from '../exit-codes.js';

/** A PEM file and the option that names it. */
export interface PemFile {
  /** The flag, or the option of the configuration. */
  readonly option: string;
  readonly path: string;
  readonly pem: Buffer;
}

/** Files for TLS. Options that are not set are undefined. */
export interface TlsFiles {
  readonly ca: PemFile | undefined;
  readonly cert: PemFile | undefined;
  /** Can be the same file as the certificate. */
  readonly key: PemFile | undefined;
}

/**
 * Checks files for TLS one by one, because OpenSSL names neither the file nor the mistake.
 *
 * @throws CommandFailure that names the option, its file and the mistake
 */
export function checkTlsFiles({ ca, cert, key }: TlsFiles): void {
  if (ca) readCertificate(ca);
  if (key && !cert) throw mistake(`${named(key)} is a private key: set its certificate with --tls-cert`);
  if (!cert || !key) return;
  const certificate = readCertificate(cert);
  const isOneFile = key.path === cert.path;
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key.pem.toString('latin1')))
    throw mistake(
      isOneFile
        ? `${named(cert)} contains no private key: set the file of the key with --tls-key`
        : `${named(key)} contains no private key in PEM`,
    );
  if (!certificate.checkPrivateKey(readKey(key)))
    throw mistake(`the key in ${named(key)} does not belong to the certificate in ${named(cert)}`);
}

function readCertificate(file: PemFile): X509Certificate {
  try {
    return new X509Certificate(file.pem);
  } catch (error) {
    throw mistake(`${named(file)} contains no valid certificate in PEM`, error);
  }
}

function readKey(file: PemFile) {
  try {
    return createPrivateKey(file.pem);
  } catch (error) {
    const isEncrypted = file.pem.includes('ENCRYPTED');
    throw mistake(
      isEncrypted
        ? `the key in ${named(file)} is encrypted: use a file with the decrypted key`
        : `${named(file)} contains no valid private key in PEM`,
      error,
    );
  }
}

const named = ({ option, path }: PemFile) => `${option} ${path}`;

const mistake = (text: string, cause?: unknown) => new CommandFailure(text, ExitCode.usage, cause);
