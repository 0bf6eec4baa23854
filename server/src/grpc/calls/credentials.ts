import { createHash, timingSafeEqual } from 'node:crypto';
import { type Metadata, ServerCredentials } from '@grpc/grpc-js';

/** Plain HTTP/2. TLS is done before grpc-js sees a connection; see TlsEndpoint. */
export function insecureCredentials(): ServerCredentials {
  return ServerCredentials.createInsecure();
}

/** A bearer token and whose it is. */
export interface Token {
  /** Tokens of one name are one identity, so that a token can be changed for another. Default: the token stands for itself. */
  readonly name?: string | undefined;
  readonly value: string;
}

/** What the header `authorization` of a call holds. */
export type Presented =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'known';
      /** Whose token it is. Says nothing about the token. */
      readonly identity: string;
      readonly digest: Buffer;
    };

interface KnownToken {
  readonly identity: string;
  readonly digest: Buffer;
}

/** Tokens that are taken, several at once. Only their digests are kept. */
export class TokenSet {
  #known: readonly KnownToken[] = [];

  constructor(tokens: readonly Token[] = []) {
    this.replace(tokens);
  }

  /** From now on these are taken and no others. Empty ones are passed over. */
  replace(tokens: readonly Token[]): void {
    this.#known = tokens
      .filter(({ value }) => value !== '')
      .map(({ name, value }) => {
        const known = digest(value);
        // A digest of the digest: what identifies a token must not help to find it in the set.
        const identity = name === undefined ? `token:${digest(known).toString('hex')}` : `client:${name}`;
        return { identity, digest: known };
      });
  }

  /** `authorization: Bearer <token>`. Takes the same time whether, and how far, a token is right. */
  find(metadata: Metadata): Presented {
    return this.findIn(metadata.get('authorization'));
  }

  /** The same for the values of the header. */
  findIn(given: readonly (string | Buffer)[]): Presented {
    if (given.length === 0) return { kind: 'missing' };
    const match = given.length === 1 ? /^Bearer +(\S+)$/i.exec(String(given[0])) : null;
    const found = this.#find(digest(match?.[1] ?? ''));
    return found !== undefined && match !== null ? { kind: 'known', ...found } : { kind: 'unknown' };
  }

  /** Whether the token with this digest is still taken. */
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

/** The operators' credential, apart from those of clients: one of its own tokens. */
export class AdminCredential {
  readonly #tokens: TokenSet;

  /** Without tokens, no caller is an operator. Empty tokens are ignored. */
  constructor(
    tokens: readonly string[],
    private readonly onRefused: () => void = () => {},
  ) {
    this.#tokens = new TokenSet(tokens.map((value) => ({ value })));
  }

  /** From now on these are taken and no others. */
  replace(tokens: readonly Token[]): void {
    this.#tokens.replace(tokens);
  }

  accepts(metadata: Metadata): boolean {
    return this.acceptsHeader(metadata.get('authorization'));
  }

  /** The same for the values of the header `authorization`. */
  acceptsHeader(given: readonly (string | Buffer)[]): boolean {
    const accepted = this.#tokens.findIn(given).kind === 'known';
    if (!accepted) this.onRefused();
    return accepted;
  }
}

/** Hashed, because timingSafeEqual wants equal lengths and the length is a secret too. */
function digest(secret: string | Buffer): Buffer {
  return createHash('sha256').update(secret).digest();
}
