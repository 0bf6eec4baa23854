import {
  AuthChoiceReader,
  ConnectRequestReader,
  MAX_PRIVATE_NAME,
  type ReceivedConnectRequest,
  type SpreadCodeName,
  WireError,
} from '../spread/wire/index.js';

/** The only authentication method here: nothing is exchanged. */
export const AUTH_METHOD = 'NULL';

export type OpeningProgress =
  /** Not enough bytes yet. */
  | { readonly kind: 'incomplete' }
  /** The request is complete: its name is to be claimed, and the auth list sent unless `request.authPhase` is false. */
  | { readonly kind: 'requested'; readonly request: ReceivedConnectRequest }
  /** The client may come in; `rest` are bytes that it sent behind. */
  | { readonly kind: 'complete'; readonly request: ReceivedConnectRequest; readonly rest: Buffer };

/**
 * The daemon's side of the handshake as a function of bytes. Rejects in real Spread's order: version, length of the
 * name, its bytes (the caller then checks that it is unique), authentication.
 *
 * Real Spread reads each part once and rejects what comes in pieces (transcript 09-handshake-split-writes); this one
 * waits for the rest, and rejects with real Spread's code when it does not come (`shortfall`).
 */
export class Opening {
  readonly #requestReader = new ConnectRequestReader();
  readonly #authReader = new AuthChoiceReader();
  /** The first two bytes say how long the part before the name is. */
  #start = Buffer.alloc(0);
  #request: ReceivedConnectRequest | undefined;

  /** What is awaited. */
  get phase(): 'request' | 'auth' {
    return this.#request ? 'auth' : 'request';
  }

  /** Whether the client has begun what is awaited. */
  get begun(): boolean {
    return (this.#request ? this.#authReader : this.#requestReader).taken > 0;
  }

  /**
   * Takes the next bytes. After `requested` push again, with an empty chunk, once the client has its answer: bytes that came behind the
   * request are still there.
   * @throws WireError with the code to reject with
   */
  push(chunk: Buffer): OpeningProgress {
    return this.#request ? this.#authentication(this.#request, chunk) : this.#connectRequest(chunk);
  }

  /** The code with which real Spread rejects a client that stops here; undefined when it closes without a word. */
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
    // Real Spread asks for 10 bytes of name, so what is sent behind a shorter one counts as part of it (transcript 08).
    if (length > 0 && length < MAX_PRIVATE_NAME && this.#requestReader.rest.length > 0)
      throw new WireError(
        'REJECT_ILLEGAL_NAME',
        'private_name',
        `the client announces a name of ${length} bytes and sends more`,
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
