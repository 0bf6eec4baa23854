import {
  type MulticastBatch,
  type MulticastMessage,
  type MulticastStreamRequest,
  TAG_ENTRY_KEY,
  TAG_ENTRY_VALUE,
  TAG_MULTICAST_BATCH,
  TAG_MULTICAST_GROUPS,
  TAG_MULTICAST_HEADERS,
  TAG_MULTICAST_MESSAGE_TYPE,
  TAG_MULTICAST_MESSAGES,
  TAG_MULTICAST_PAYLOAD,
  TAG_MULTICAST_RESPOND,
  TAG_MULTICAST_SELF_DISCARD,
  TAG_MULTICAST_SERVICE_TYPE,
} from 'spread-sidecar-proto';
import { MAX_REQUEST_FIELDS } from './malformed.js';

const NO_PAYLOAD = Buffer.alloc(0);
/** All messages without headers share this map. Read-only. */
const NO_HEADERS = new Map<string, string>();

/**
 * Decodes a batch of a MulticastStream in the form that every protobuf library writes: fields in order, names and
 * headers in ASCII. Returns undefined for any other form, including malformed bytes, which the generated decoder then
 * handles. Both give the same result for batches that this function decodes (a property test compares them).
 *  Payloads are views of `bytes`, and neighbours with equal service type and groups share them. Decoding is nearly
 * the whole cost of a sender of many messages.
 */
export function decodeBatchFrame(bytes: Buffer): MulticastStreamRequest | undefined {
  const reader = new BatchReader(bytes);
  const batch = reader.batch();
  return batch && { frame: { $case: 'batch', value: batch } };
}

class BatchReader {
  #at = 0;
  /** Remaining messages and groups. Beyond, the generated decoder rejects the batch. */
  #left = MAX_REQUEST_FIELDS;
  // The service type and groups of the previous message, and the position of their bytes.
  #headStart = 0;
  #headLength = 0;
  #serviceType = 0;
  #groups: string[] = [];

  constructor(private readonly bytes: Buffer) {}

  batch(): MulticastBatch | undefined {
    const { bytes } = this;
    if (bytes[this.#at++] !== TAG_MULTICAST_BATCH) return undefined;
    if (this.#length(bytes.length) !== bytes.length) return undefined;
    const messages: MulticastMessage[] = [];
    while (this.#at < bytes.length) {
      const tag = bytes[this.#at++];
      if (tag === TAG_MULTICAST_RESPOND && this.#at === bytes.length - 1 && bytes[this.#at] === 1)
        return { messages, respond: true };
      if (tag !== TAG_MULTICAST_MESSAGES || --this.#left < 0) return undefined;
      const end = this.#length(bytes.length);
      const message = end < 0 ? undefined : this.#message(end);
      if (message === undefined) return undefined;
      messages.push(message);
    }
    return { messages, respond: false };
  }

  #message(end: number): MulticastMessage | undefined {
    const { bytes } = this;
    if (!this.#isHeadOfLast(end) && !this.#readHead(end)) return undefined;
    const serviceType = this.#serviceType;
    const groups = this.#groups;
    let payload: Buffer = NO_PAYLOAD;
    let messageType = 0;
    let selfDiscard = false;
    if (this.#at < end && bytes[this.#at] === TAG_MULTICAST_PAYLOAD) {
      this.#at++;
      const stop = this.#length(end);
      if (stop < 0) return undefined;
      payload = bytes.subarray(this.#at, stop);
      this.#at = stop;
    }
    if (this.#at < end && bytes[this.#at] === TAG_MULTICAST_MESSAGE_TYPE) {
      this.#at++;
      const value = this.#varint(end);
      if (value < 0) return undefined;
      messageType = (value >>> 1) ^ -(value & 1);
    }
    if (this.#at < end && bytes[this.#at] === TAG_MULTICAST_SELF_DISCARD) {
      this.#at++;
      const value = this.#varint(end);
      if (value < 0 || value > 1) return undefined;
      selfDiscard = value === 1;
    }
    let headers = NO_HEADERS;
    if (this.#at < end) {
      headers = new Map();
      while (this.#at < end) if (!this.#readHeader(end, headers)) return undefined;
    }
    return { serviceType, groups, payload, messageType, selfDiscard, headers };
  }

  #readHeader(end: number, headers: Map<string, string>): boolean {
    const { bytes } = this;
    if (bytes[this.#at++] !== TAG_MULTICAST_HEADERS || --this.#left < 0) return false;
    const stop = this.#length(end);
    if (stop < 0) return false;
    const name = this.#text(TAG_ENTRY_KEY, stop);
    const value = this.#text(TAG_ENTRY_VALUE, stop);
    if (name === undefined || value === undefined || this.#at !== stop) return false;
    headers.set(name, value);
    return true;
  }

  /** An ASCII text, empty when there is no such field. Undefined for any other, which needs the generated decoder. */
  #text(tag: number, end: number): string | undefined {
    const { bytes } = this;
    if (this.#at >= end || bytes[this.#at] !== tag) return '';
    this.#at++;
    const stop = this.#length(end);
    if (stop < 0) return undefined;
    for (let i = this.#at; i < stop; i++) if (bytes[i]! > 0x7f) return undefined;
    const text = bytes.toString('latin1', this.#at, stop);
    this.#at = stop;
    return text;
  }

  /** True when the bytes of the last head are repeated here and no further group follows. Then skips them. */
  #isHeadOfLast(end: number): boolean {
    const { bytes } = this;
    const start = this.#at;
    const length = this.#headLength;
    if (length === 0 || start + length > end) return false;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[this.#headStart + i]) return false;
    if (start + length < end && bytes[start + length] === TAG_MULTICAST_GROUPS) return false;
    this.#at = start + length;
    return true;
  }

  #readHead(end: number): boolean {
    const { bytes } = this;
    const start = this.#at;
    let serviceType = 0;
    const groups: string[] = [];
    if (start < end && bytes[start] === TAG_MULTICAST_SERVICE_TYPE) {
      this.#at++;
      serviceType = this.#varint(end);
      if (serviceType < 0 || serviceType > 0x7f) return false;
    }
    while (this.#at < end && bytes[this.#at] === TAG_MULTICAST_GROUPS) {
      this.#at++;
      const stop = this.#length(end);
      if (stop < 0 || --this.#left < 0) return false;
      for (let i = this.#at; i < stop; i++) if (bytes[i]! > 0x7f) return false;
      groups.push(bytes.toString('latin1', this.#at, stop));
      this.#at = stop;
    }
    this.#headStart = start;
    this.#headLength = this.#at - start;
    this.#serviceType = serviceType;
    this.#groups = groups;
    return true;
  }

  /** The end of a length-delimited field. -1 when the end is not before `end`. */
  #length(end: number): number {
    const length = this.#varint(end);
    return length < 0 || length > end - this.#at ? -1 : this.#at + length;
  }

  /** A value of up to 28 bits. -1 for any other, which needs the generated decoder. */
  #varint(end: number): number {
    const { bytes } = this;
    let value = 0;
    for (let shift = 0; shift < 28 && this.#at < end; shift += 7) {
      const byte = bytes[this.#at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}
