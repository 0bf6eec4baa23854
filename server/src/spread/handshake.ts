import type { Duplex } from 'node:stream';
import type { AuthConversation, AuthMethod } from './auth.js';
import { SpreadError, toSpreadError } from './spread-error.js';
import {
  type Accepted,
  AcceptReader,
  AuthListReader,
  encodeAuthChoice,
  encodeConnectRequest,
  IncrementalReader,
  WireError,
} from './wire/index.js';

/** The options of a session for the handshake. */
export interface HandshakeRequest {
  privateName: string;
  membership: boolean;
  priority: 0 | 1;
  /** One or two methods. The daemon must list all of them. */
  auth: readonly AuthMethod[];
}

/**
 * Performs the handshake on an open connection. On success, the stream is paused directly after the daemon's
 * response, without any of our listeners. Rejects with SpreadError: the code of a reject byte, REJECT_AUTH for a
 * method that the daemon does not offer, CONNECTION_CLOSED for an end of the stream, COULD_NOT_CONNECT for a peer
 * that is not a Spread daemon. The caller limits the time by destroying the stream.
 */
export async function performHandshake(stream: Duplex, request: HandshakeRequest): Promise<Accepted> {
  const { connectRequest, choice } = requestBytes(request);
  const conversation = new Conversation(stream);
  try {
    // One write each: a 5.0.1 daemon does not wait for the rest of these bytes.
    conversation.write(connectRequest);
    const offered = await conversation.receive(new AuthListReader(), 'its list of authentication methods');
    for (const { name } of request.auth) {
      if (!offered.includes(name)) throw notOffered(name, offered);
    }
    conversation.write(choice);
    for (const method of request.auth) await method.authenticate(conversation);
    return await conversation.receive(new AcceptReader(), 'its response to the authentication');
  } catch (error) {
    throw handshakeError(error);
  } finally {
    conversation.end();
  }
}

/** Rejects invalid options: SpreadError REJECT_ILLEGAL_NAME or REJECT_AUTH. */
export function checkHandshake(request: HandshakeRequest): void {
  try {
    requestBytes(request);
  } catch (error) {
    throw toSpreadError(error);
  }
}

function requestBytes(request: HandshakeRequest): { connectRequest: Buffer; choice: Buffer } {
  const { privateName: name, membership, priority, auth } = request;
  return {
    connectRequest: encodeConnectRequest({ name, membership, priority }),
    choice: encodeAuthChoice(auth.map((method) => method.name)),
  };
}

function notOffered(name: string, offered: readonly string[]): SpreadError {
  const list = offered.length > 0 ? offered.join(', ') : 'none';
  // A gRPC server first sends a SETTINGS frame, whose first byte looks like an empty list.
  const hint =
    offered.length > 0
      ? ''
      : '; check that the address is that of a Spread daemon, not the gRPC port of a sidecar';
  return new SpreadError(
    'REJECT_AUTH',
    `the daemon does not offer the authentication method ${name}; it offers ${list}${hint}`,
    {
      field: 'auth',
      bound: list,
    },
  );
}

function handshakeError(error: unknown): unknown {
  if (!(error instanceof WireError)) return error;
  if (error.code === 'ILLEGAL_MESSAGE') {
    return new SpreadError('COULD_NOT_CONNECT', `the server is not a Spread daemon: ${error.message}`, {
      cause: error,
    });
  }
  return toSpreadError(error);
}

interface PendingRead {
  reader: IncrementalReader<unknown>;
  what: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Reads exactly the requested bytes and leaves the rest in the stream. Arrived bytes are always processed before
 * the end or the error after them, because a reset can follow a reject byte (Spread 5.0.1, transcript 05).
 */
class Conversation implements AuthConversation {
  readonly #stream: Duplex;
  #pending: PendingRead | undefined;
  #failure: { cause: unknown } | undefined;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.pause();
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onError);
  }

  write(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  read(count: number): Promise<Buffer> {
    return this.receive(new IncrementalReader(exactly(count)), 'its part of the authentication');
  }

  receive<T>(reader: IncrementalReader<T>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending = { reader, what, resolve: () => resolve(reader.value), reject };
      if (reader.done) this.#settle();
      else if (this.#failure) this.#fail();
      else this.#stream.resume();
    });
  }

  /** Removes the listeners. The stream stays paused. */
  end(): void {
    this.#stream.pause();
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    this.#stream.off('error', this.#onError);
  }

  readonly #onData = (chunk: Buffer): void => {
    const pending = this.#pending;
    if (pending === undefined) {
      this.#stream.pause();
      this.#stream.unshift(chunk);
      return;
    }
    try {
      if (!pending.reader.push(chunk)) return;
    } catch (error) {
      this.#pending = undefined;
      pending.reject(error);
      return;
    }
    this.#settle();
  };

  #settle(): void {
    const pending = this.#pending as PendingRead;
    this.#pending = undefined;
    this.#stream.pause();
    if (pending.reader.rest.length > 0) this.#stream.unshift(pending.reader.rest);
    pending.resolve();
  }

  readonly #onEnd = (): void => {
    this.#failure ??= { cause: undefined };
    this.#fail();
  };

  readonly #onError = (error: unknown): void => {
    this.#failure ??= { cause: error };
    this.#fail();
  };

  #fail(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const { cause } = this.#failure as { cause: unknown };
    const how = cause instanceof Error ? ` (${cause.message})` : '';
    pending.reject(
      new SpreadError(
        'CONNECTION_CLOSED',
        `the daemon closed the connection during the handshake, before ${pending.what}${how}`,
        { cause },
      ),
    );
  }
}

function* exactly(count: number): Generator<number, Buffer, Buffer> {
  return yield count;
}
