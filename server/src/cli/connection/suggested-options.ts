import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { SidecarConfig } from '../../config/index.js';
import { quoted } from '../program-name.js';
import { DEFAULT_TARGET } from './connection.js';
import type { OwnSidecar } from './own-sidecar.js';

/** The options that another command of this program needs to reach a sidecar. */
export interface Suggestion {
  /** Options as typed in a shell, with a leading space. Empty when none is needed. */
  readonly options: string;
  /** Placeholders that only the reader can fill in. */
  readonly notes: readonly string[];
}

/**
 * Options with which a command reaches the sidecar.
 *
 * @param addresses - its targets for gRPC clients
 * @param found - the sidecar that the command would find from its environment, if it inherits this environment
 */
export function suggestedOptions(
  { grpc }: Pick<SidecarConfig, 'grpc'>,
  addresses: readonly string[],
  found: OwnSidecar | undefined,
): Suggestion {
  const speaksTls = grpc.tlsCert !== '';
  const socket = addresses.find((address) => address.startsWith('unix:'));
  const target = (speaksTls && socket) || toReach(addresses[0] ?? DEFAULT_TARGET);
  const isTls = speaksTls && !target.startsWith('unix:');
  const wantsTokens = grpc.tokens.length > 0 || grpc.tokenFile !== '';
  const words: string[] = [];
  const notes: string[] = [];
  if (found?.target === target && (found.certificate !== undefined) === isTls) {
    if (found.requiresClientCertificate) addClientCertificate();
    if (wantsTokens && !found.hasToken) addToken();
  } else {
    if (target !== DEFAULT_TARGET) words.push('-t', target);
    if (isTls) words.push('--tls-ca', resolve(grpc.tlsCert), ...serverName(grpc.tlsCert, target));
    if (isTls && grpc.tlsClientCa !== '') addClientCertificate();
    if (wantsTokens) addToken();
  }
  return { options: words.map((word) => ` ${quoted(word)}`).join(''), notes };

  function addToken(): void {
    words.push('--token-file', grpc.tokenFile === '' ? 'TOKEN_FILE' : resolve(grpc.tokenFile));
    if (grpc.tokenFile === '') notes.push('TOKEN_FILE is a file whose first line is a token of grpc.tokens.');
  }

  function addClientCertificate(): void {
    words.push('--tls-cert', 'CLIENT.pem', '--tls-key', 'CLIENT.key');
    notes.push('CLIENT.pem and CLIENT.key are a certificate of grpc.tlsClientCa and its key.');
  }
}

/** A server that listens on all addresses is reachable at a loopback address. */
const toReach = (address: string) =>
  address.replace(/^0\.0\.0\.0:/, '127.0.0.1:').replace(/^\[::\]:/, '127.0.0.1:');

/** The server name to expect, if the certificate does not contain the target's host. */
function serverName(path: string, target: string): string[] {
  const host = target.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  try {
    const certificate = new X509Certificate(readFileSync(path));
    const holds = isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host);
    if (holds) return [];
    const name = /DNS:([^,\s]+)/.exec(certificate.subjectAltName ?? '')?.[1];
    return name === undefined ? [] : ['--tls-server-name', name.replace(/^\*/, 'sidecar')];
  } catch {
    return [];
  }
}
