import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, ServerCredentials } from '@grpc/grpc-js';

/** Plain HTTP/2, for loopback and Unix sockets. */
export function insecureCredentials(): ServerCredentials {
  return ServerCredentials.createInsecure();
}

/** The operators' credential: `authorization: Bearer <token>` with one of the configured tokens. */
export class AdminCredential {
  readonly #digests: Buffer[];

  /** Without tokens nobody is an operator. Empty tokens are passed over. */
  constructor(tokens: readonly string[]) {
    this.#digests = tokens.filter((token) => token !== '').map(digest);
  }

  /** Takes the same time whether, and how far, a token is right. */
  accepts(metadata: Metadata): boolean {
    const given = metadata.get('authorization');
    if (given.length !== 1 || typeof given[0] !== 'string') return false;
    const match = /^Bearer +(\S+)$/i.exec(given[0]);
    const candidate = digest(match?.[1] ?? '');
    let accepted = false;
    for (const known of this.#digests) {
      if (timingSafeEqual(known, candidate)) accepted = true;
    }
    return accepted && match !== null;
  }
}

/** Hashed, because timingSafeEqual wants equal lengths and the length is a secret too. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
