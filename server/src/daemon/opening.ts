import {
  AuthChoiceReader,
  ConnectRequestReader,
  MAX_PRIVATE_NAME,
  type ReceivedConnectRequest,
  type SpreadCodeName,
  WireError,
} from '../spread/wire/index.js';

/** The only authentication method of the embedded daemon. It exchanges no data. */
export const AUTH_METHOD = 'NULL';

export type OpeningProgress =
  /** More bytes are needed. */
  | { readonly kind: 'incomplete' }
  /**
   * The request is complete. The caller must claim its name, and send the auth list unless `request.authPhase` is
   * false.
   */
  | { readonly kind: 'requested'; readonly request: ReceivedConnectRequest }
  /** The handshake is complete. `rest` has the later bytes of the client. */
  | { readonly kind: 'complete'; readonly request: ReceivedConnectRequest; readonly rest: Buffer };

/**
 * The daemon's side of the handshake as a function of bytes. It rejects in real Spread's order: version, length of
 * the name, its bytes (the caller then checks that it is unique), authentication.
 *  Real Spread reads each part once and rejects a part that arrives in pieces (transcript
 * 09-handshake-split-writes). This class waits for the rest. If the rest does not come, `shortfall` returns real
 * Spread's code.
 */
export class Opening {
  readonly #requestReader = new ConnectRequestReader();
  readonly #authReader = new AuthChoiceReader();
  /** The first two bytes determine the length of the part before the name. */
  #start = Buffer.alloc(0);
  #request: ReceivedConnectRequest | undefined;

  /** The expected part. */
  get phase(): 'request' | 'auth' {
    return this.#request ? 'auth' : 'request';
  }

  /** Whether the client has sent a part of the expected bytes. */
  get begun(): boolean {
    return (this.#request ? this.#authReader : this.#requestReader).taken > 0;
  }

  /**
   * Processes the next bytes. After `requested`, call `push` again with an empty chunk when the client has its
   * response, because bytes after the request are still waiting.
   * @throws WireError with the code for the rejection
   */
  push(chunk: Buffer): OpeningProgress {
    return this.#request ? this.#authentication(this.#request, chunk) : this.#connectRequest(chunk);
  }

  /**
   * The code with which real Spread rejects a client that stops here. Undefined when Spread closes without a
   * response.
   */
  shortfall(): SpreadCodeName | undefined {
    if (this.#request) return this.begun ? 'REJECT_AUTH' : undefined;
    if (this.#requestReader.awaiting === 'head') return undefined;
    return this.#requestReader.taken > this.#headLength() ? 'REJECT_ILLEGAL_NAME' : undefined;
  }

  #connectRequest(chunk: Buffer): OpeningProgress {
    if (this.#start.length < 2) this.#start = Buffer.concat([this.#start, chunk.subarray(0, 2)]);
    if (!this.#requestReader.push(chunk)) return { kind: 'incomplete' };
    const request = this.#requestReader.value;
    const { length } = request.name;
    // Real Spread requests 10 bytes of name, so bytes after a shorter name count as part of it (transcript 08).
    if (length > 0 && length < MAX_PRIVATE_NAME && this.#requestReader.rest.length > 0)
      throw new WireError(
        'REJECT_ILLEGAL_NAME',
        'private_name',
        `the client announced a name of ${length} bytes, but sent more bytes`,
      );
    this.#request = request;
    return { kind: 'requested', request };
  }

  #authentication(request: ReceivedConnectRequest, chunk: Buffer): OpeningProgress {
    const behind = this.#requestReader.rest;
    this.#requestReader.rest = Buffer.alloc(0);
    const bytes = behind.length > 0 ? Buffer.concat([behind, chunk]) : chunk;
    if (!request.authPhase) return { kind: 'complete', request, rest: bytes };
    if (!this.#authReader.push(bytes)) return { kind: 'incomplete' };
    const methods = this.#authReader.value;
    if (methods.length === 0 || methods.some((method) => method !== AUTH_METHOD) || methods.length > 2)
      throw new WireError(
        'REJECT_AUTH',
        'auth',
        `the client chose ${methods.length === 0 ? 'no method' : `'${methods.join("', '")}'`}; ${AUTH_METHOD} is the only supported method`,
      );
    return { kind: 'complete', request, rest: this.#authReader.rest };
  }

  #headLength(): number {
    // Clients up to 3.14 send no patch byte.
    return this.#start[0]! * 100 + this.#start[1]! > 314 ? 5 : 4;
  }
}
