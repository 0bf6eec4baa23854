import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, ServerCredentials } from '@grpc/grpc-js';

/** Plain HTTP/2. TLS ends before grpc-js sees a connection, see TlsEndpoint. */
export function insecureCredentials(): ServerCredentials {
  return ServerCredentials.createInsecure();
}

/** A bearer token and the name of its owner. */
export interface Token {
  /**
   * Tokens with one name are one identity, so that a token can be replaced. Default: the token is its own
   * identity.
   */
  readonly name?: string | undefined;
  readonly value: string;
}

/** The result of parsing the header `authorization` of a call. */
export type Presented =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'known';
      /** The identity of the token's owner. Does not reveal the token. */
      readonly identity: string;
      readonly digest: Buffer;
    };

interface KnownToken {
  readonly identity: string;
  readonly digest: Buffer;
}

/** A set of accepted tokens. Only their digests are stored. */
export class TokenSet {
  #known: readonly KnownToken[] = [];

  constructor(tokens: readonly Token[] = []) {
    this.replace(tokens);
  }

  /** Replaces the accepted tokens. Empty tokens are ignored. */
  replace(tokens: readonly Token[]): void {
    this.#known = tokens
      .filter(({ value }) => value !== '')
      .map(({ name, value }) => {
        const known = digest(value);
        // A digest of the digest, so that the identity of a token does not help to find the token in the set.
        const identity = name === undefined ? `token:${digest(known).toString('hex')}` : `client:${name}`;
        return { identity, digest: known };
      });
  }

  /** Checks `authorization: Bearer <token>`. The time does not depend on whether, or how far, a token is right. */
  find(metadata: Metadata): Presented {
    return this.findIn(metadata.get('authorization'));
  }

  /** Checks the values of the header. */
  findIn(given: readonly (string | Buffer)[]): Presented {
    if (given.length === 0) return { kind: 'missing' };
    const match = given.length === 1 ? /^Bearer +(\S+)$/i.exec(String(given[0])) : null;
    const found = this.#find(digest(match?.[1] ?? ''));
    return found !== undefined && match !== null ? { kind: 'known', ...found } : { kind: 'unknown' };
  }

  /** Whether the token with this digest is still accepted. */
  has(digest: Buffer): boolean {
    return this.#find(digest) !== undefined;
  }

  #find(candidate: Buffer): KnownToken | undefined {
    let found: KnownToken | undefined;
    for (const known of this.#known) {
      if (timingSafeEqual(known.digest, candidate)) found = known;
    }
    return found;
  }
}

/** The operators' credential, separate from those of clients: one of its own tokens. */
export class AdminCredential {
  readonly #tokens: TokenSet;

  /** Without tokens, no caller is an operator. Empty tokens are ignored. */
  constructor(
    tokens: readonly string[],
    private readonly onRefused: () => void = () => {},
  ) {
    this.#tokens = new TokenSet(tokens.map((value) => ({ value })));
  }

  /** Replaces the accepted tokens. */
  replace(tokens: readonly Token[]): void {
    this.#tokens.replace(tokens);
  }

  accepts(metadata: Metadata): boolean {
    return this.acceptsHeader(metadata.get('authorization'));
  }

  /** Checks the values of the header `authorization`. */
  acceptsHeader(given: readonly (string | Buffer)[]): boolean {
    const accepted = this.#tokens.findIn(given).kind === 'known';
    if (!accepted) this.onRefused();
    return accepted;
  }
}

/** Hashed, because timingSafeEqual needs equal lengths, and the length is a secret too. */
function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
