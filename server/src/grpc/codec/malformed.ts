import { BinaryReader } from '@bufbuild/protobuf/wire';
import type { ServiceDefinition } from '@grpc/grpc-js';

/**
 * Replaces a decoded request when its bytes are not a message of the contract. grpc-js ends a call whose
 * deserializer throws with INTERNAL, below every handler and interceptor. With a value instead of an exception,
 * the handler can respond with INVALID_ARGUMENT, in order with the messages before it.
 */
export class Malformed {
  constructor(
    /** A description of the mistake for people. */
    readonly problem: string,
  ) {}
}

/**
 * Largest number of fields of one request, including those of nested messages: an empty field has two bytes on the
 * wire, but costs much more memory and time. Ten for each message of the largest batch.
 */
export const MAX_REQUEST_FIELDS = 200_000;

class TooManyFields extends Error {}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** protobuf requires valid UTF-8 in strings. The generated code would replace invalid bytes with U+FFFD. */
function decodeStrictly(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** Limits the number of fields: the generated code reads each tag and each length with `uint32()`. */
class BoundedReader extends BinaryReader {
  constructor(bytes: Uint8Array) {
    super(bytes, decodeStrictly);
    const read = this.uint32;
    let readsLeft = 2 * MAX_REQUEST_FIELDS;
    this.uint32 = () => {
      if (--readsLeft < 0) throw new TooManyFields();
      return read.call(this);
    };
  }
}

/** Decodes with a generated `decode` and additional checks. */
export function decodeOrMalformed<T>(decode: (input: BinaryReader) => T, bytes: Uint8Array): T | Malformed {
  const reader = new BoundedReader(bytes);
  let message: T;
  try {
    message = decode(reader);
  } catch (error) {
    return new Malformed(describe(error));
  }
  // The generated decoder silently stops at a tag with field number 0 or at the end of an unopened group, and can
  // read beyond the end of a nested message.
  if (reader.pos !== reader.len) return new Malformed('it has an invalid field tag');
  return message;
}

/** A large request that has arrived and is decoded in its call's turn of the event loop. */
export class Undecoded<T> {
  constructor(
    readonly bytes: Buffer,
    private readonly decoder: (bytes: Buffer) => T | Malformed,
  ) {}

  decode(): T | Malformed {
    return this.decoder(this.bytes);
  }
}

/** A copy of a generated service definition whose request deserializers return Malformed instead of throwing. */
export function refuseMalformed<S extends ServiceDefinition>(definition: S): S {
  const copy: Record<string, ServiceDefinition[string]> = {};
  for (const [name, method] of Object.entries(definition)) {
    // The generated deserializer passes its argument to `decode`, which accepts a reader as well as bytes.
    const decode = method.requestDeserialize as unknown as (input: BinaryReader) => unknown;
    copy[name] = { ...method, requestDeserialize: (bytes: Buffer) => decodeOrMalformed(decode, bytes) };
  }
  return copy as unknown as S;
}

function describe(error: unknown): string {
  if (error instanceof TooManyFields) return `it has more than ${MAX_REQUEST_FIELDS} fields`;
  if (error instanceof RangeError) return 'it ends before a field is complete';
  if (error instanceof TypeError) return 'a string in it is not valid UTF-8';
  return 'it is not in the protobuf wire format';
}
