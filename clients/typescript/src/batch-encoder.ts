import {
  type MulticastBatch,
  MulticastMessage,
  MulticastStreamRequest,
  TAG_ENTRY_KEY,
  TAG_ENTRY_VALUE,
  TAG_MULTICAST_BATCH,
  TAG_MULTICAST_HEADERS,
  TAG_MULTICAST_MESSAGE_TYPE,
  TAG_MULTICAST_MESSAGES,
  TAG_MULTICAST_PAYLOAD,
  TAG_MULTICAST_RESPOND,
  TAG_MULTICAST_SELF_DISCARD,
} from 'spread-sidecar-proto';
import { NO_PROTO_HEADERS } from './headers.js';

const NO_BYTES = Buffer.alloc(0);

/** A frame that is already encoded. */
export class EncodedFrame implements MulticastStreamRequest {
  readonly frame = undefined;

  constructor(readonly bytes: Buffer) {}
}

/** Serializes a MulticastStream frame for gRPC. */
export function serializeFrame(request: MulticastStreamRequest): Buffer {
  if (request instanceof EncodedFrame) return request.bytes;
  return Buffer.from(MulticastStreamRequest.encode(request).finish());
}

/** Returns a buffer of this size that the given function has filled. */
type Write = (size: number, fill: (bytes: Buffer) => void) => Buffer;

/**
 * Encodes a frame with a batch to the same bytes as the generated encoder. Allocates at most once,
 * copies each payload once, and encodes service type and groups only when they change.
 */
export function encodeBatch({ messages, respond }: MulticastBatch, write: Write): Buffer {
  const heads = headsOf(messages);
  const sizes = new Array<number>(messages.length);
  let batchSize = respond ? 2 : 0;
  for (let i = 0; i < messages.length; i++) {
    const size = sizeOf(messages[i] as MulticastMessage, heads[i] as Buffer);
    sizes[i] = size;
    batchSize += 1 + sizeOfVarint(size) + size;
  }
  return write(1 + sizeOfVarint(batchSize) + batchSize, (bytes) => {
    bytes[0] = TAG_MULTICAST_BATCH;
    let at = writeVarint(bytes, 1, batchSize);
    for (let i = 0; i < messages.length; i++) {
      bytes[at++] = TAG_MULTICAST_MESSAGES;
      at = writeVarint(bytes, at, sizes[i] as number);
      at = writeMessage(bytes, at, messages[i] as MulticastMessage, heads[i] as Buffer);
    }
    if (respond) {
      bytes[at++] = TAG_MULTICAST_RESPOND;
      bytes[at] = 1;
    }
  });
}

/**
 * The encoded service type and groups of each message. Consecutive messages with equal values share a buffer.
 */
function headsOf(messages: readonly MulticastMessage[]): Buffer[] {
  const heads = new Array<Buffer>(messages.length);
  let last: MulticastMessage | undefined;
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i] as MulticastMessage;
    if (last !== undefined && haveSameHead(message, last)) {
      heads[i] = heads[i - 1] as Buffer;
    } else {
      const { serviceType, groups } = message;
      const rest = { payload: NO_BYTES, messageType: 0, selfDiscard: false, headers: NO_PROTO_HEADERS };
      heads[i] = Buffer.from(MulticastMessage.encode({ serviceType, groups, ...rest }).finish());
    }
    last = message;
  }
  return heads;
}

function haveSameHead(a: MulticastMessage, b: MulticastMessage): boolean {
  if (a.serviceType !== b.serviceType || a.groups.length !== b.groups.length) return false;
  for (let i = 0; i < a.groups.length; i++) if (a.groups[i] !== b.groups[i]) return false;
  return true;
}

function sizeOf(message: MulticastMessage, head: Buffer): number {
  const { payload, messageType, selfDiscard, headers } = message;
  let size = head.length;
  if (payload.length > 0) size += 1 + sizeOfVarint(payload.length) + payload.length;
  if (messageType !== 0) size += 1 + sizeOfVarint(zigzag(messageType));
  if (selfDiscard) size += 2;
  return size + encodedHeadersSize(headers);
}

/** Size of the encoded headers of a message. Unit: bytes. */
export function encodedHeadersSize(headers: ReadonlyMap<string, string>): number {
  if (headers.size === 0) return 0;
  let size = 0;
  for (const [name, value] of headers) {
    const entry = entrySize(Buffer.byteLength(name), Buffer.byteLength(value));
    size += 1 + sizeOfVarint(entry) + entry;
  }
  return size;
}

function writeMessage(bytes: Buffer, start: number, message: MulticastMessage, head: Buffer): number {
  const { payload, messageType, selfDiscard, headers } = message;
  bytes.set(head, start);
  let at = start + head.length;
  if (payload.length > 0) {
    bytes[at++] = TAG_MULTICAST_PAYLOAD;
    at = writeVarint(bytes, at, payload.length);
    bytes.set(payload, at);
    at += payload.length;
  }
  if (messageType !== 0) {
    bytes[at++] = TAG_MULTICAST_MESSAGE_TYPE;
    at = writeVarint(bytes, at, zigzag(messageType));
  }
  if (selfDiscard) {
    bytes[at++] = TAG_MULTICAST_SELF_DISCARD;
    bytes[at++] = 1;
  }
  if (headers.size > 0)
    for (const [name, value] of headers) {
      const nameSize = Buffer.byteLength(name);
      const valueSize = Buffer.byteLength(value);
      bytes[at++] = TAG_MULTICAST_HEADERS;
      at = writeVarint(bytes, at, entrySize(nameSize, valueSize));
      at = writeText(bytes, at, TAG_ENTRY_KEY, name, nameSize);
      at = writeText(bytes, at, TAG_ENTRY_VALUE, value, valueSize);
    }
  return at;
}

function entrySize(nameSize: number, valueSize: number): number {
  return textSize(nameSize) + textSize(valueSize);
}

/** Size of a text field, which is omitted when it is empty. */
function textSize(size: number): number {
  return size === 0 ? 0 : 1 + sizeOfVarint(size) + size;
}

function writeText(bytes: Buffer, start: number, tag: number, text: string, size: number): number {
  if (size === 0) return start;
  bytes[start] = tag;
  const at = writeVarint(bytes, start + 1, size);
  return at + bytes.write(text, at, 'utf8');
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** @param value - 0 to 2^32 - 1 */
function sizeOfVarint(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
