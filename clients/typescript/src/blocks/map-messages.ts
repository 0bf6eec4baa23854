// The messages of a replicated map, as docs/building-blocks.md describes them byte by byte. All numbers are big-endian.

/** A change of the map. `id` is the sender's own number of the change. */
export type MapChange =
  | { readonly kind: 'set'; readonly id: number; readonly key: string; readonly value: Buffer }
  | { readonly kind: 'delete'; readonly id: number; readonly key: string }
  | { readonly kind: 'clear'; readonly id: number };

/** A message of the state transfer in the view with this ID. */
export type TransferMessage =
  | { readonly kind: 'need'; readonly viewId: string }
  | { readonly kind: 'begin'; readonly viewId: string; readonly members: readonly string[] }
  | {
      readonly kind: 'chunk';
      readonly viewId: string;
      readonly entries: readonly (readonly [string, Buffer])[];
    }
  | { readonly kind: 'end'; readonly viewId: string; readonly chunks: number };

export type MapMessage = MapChange | TransferMessage;

const KINDS = ['set', 'delete', 'clear', 'need', 'begin', 'chunk', 'end'] as const;

/** Encodes a message. The first byte is the position of its kind, starting at 1. */
export function encodeMapMessage(message: MapMessage): Buffer {
  const parts: Buffer[] = [Buffer.of(KINDS.indexOf(message.kind) + 1)];
  switch (message.kind) {
    case 'set':
      parts.push(uint32(message.id), text(message.key), message.value);
      break;
    case 'delete':
      parts.push(uint32(message.id), text(message.key));
      break;
    case 'clear':
      parts.push(uint32(message.id));
      break;
    case 'need':
      parts.push(text(message.viewId));
      break;
    case 'begin':
      parts.push(text(message.viewId), ...message.members.map(text));
      break;
    case 'chunk':
      parts.push(text(message.viewId));
      for (const [key, value] of message.entries) parts.push(text(key), uint32(value.length), value);
      break;
    case 'end':
      parts.push(text(message.viewId), uint32(message.chunks));
      break;
  }
  return Buffer.concat(parts);
}

/** Decodes a message. Undefined if the payload is not a message of a map. */
export function decodeMapMessage(payload: Buffer): MapMessage | undefined {
  const kind = KINDS[(payload[0] ?? 0) - 1];
  if (kind === undefined) return undefined;
  const reader = new Reader(payload);
  try {
    const message = read(kind, reader);
    return reader.isAtEnd ? message : undefined;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function read(kind: MapMessage['kind'], reader: Reader): MapMessage {
  switch (kind) {
    case 'set':
      return { kind, id: reader.uint32(), key: reader.text(), value: reader.rest() };
    case 'delete':
      return { kind, id: reader.uint32(), key: reader.text() };
    case 'clear':
      return { kind, id: reader.uint32() };
    case 'need':
      return { kind, viewId: reader.text() };
    case 'begin': {
      const viewId = reader.text();
      const members: string[] = [];
      while (!reader.isAtEnd) members.push(reader.text());
      return { kind, viewId, members };
    }
    case 'chunk': {
      const viewId = reader.text();
      const entries: [string, Buffer][] = [];
      while (!reader.isAtEnd) entries.push([reader.text(), reader.bytes(reader.uint32())]);
      return { kind, viewId, entries };
    }
    case 'end':
      return { kind, viewId: reader.text(), chunks: reader.uint32() };
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** A text of at most 65,535 bytes, after its length in two bytes. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Reads after the first byte. Throws RangeError at the end, and TypeError for malformed UTF-8. */
class Reader {
  #at = 1;

  constructor(private readonly payload: Buffer) {}

  get isAtEnd(): boolean {
    return this.#at === this.payload.length;
  }

  uint32(): number {
    const value = this.payload.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  text(): string {
    const length = this.payload.readUInt16BE(this.#at);
    this.#at += 2;
    return UTF8.decode(this.bytes(length));
  }

  bytes(length: number): Buffer {
    if (this.#at + length > this.payload.length) throw new RangeError('the message is too short');
    this.#at += length;
    // A copy: the payload can be a part of a much larger buffer.
    return Buffer.from(this.payload.subarray(this.#at - length, this.#at));
  }

  rest(): Buffer {
    return this.bytes(this.payload.length - this.#at);
  }
}
