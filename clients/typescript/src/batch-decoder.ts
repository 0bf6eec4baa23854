import {
  Event,
  ReceiveResponse,
  TAG_BATCH,
  TAG_ENDIAN_MISMATCH,
  TAG_ENTRY_KEY,
  TAG_ENTRY_VALUE,
  TAG_EVENTS,
  TAG_GROUPS,
  TAG_HEADERS,
  TAG_MESSAGE_TYPE,
  TAG_NANOS,
  TAG_PAYLOAD,
  TAG_RECEIVED_AT,
  TAG_REGULAR_MESSAGE,
  TAG_SECONDS,
  TAG_SELF_DISCARD,
  TAG_SENDER,
  TAG_SEQUENCE,
  TAG_SERVICE_TYPE,
  TAG_SPREAD_TYPE,
} from 'spread-sidecar-proto';
import { toSpreadEvent } from './from-event.js';
import { fromProtoHeaders, type MessageHeaders, NO_HEADERS } from './headers.js';
import { RegularMessage, type SpreadEvent } from './messages.js';
import { toServiceBits } from './service-type.js';

/** An event of a batch. `event` is undefined for a kind that this release does not know. */
export interface BatchEvent {
  readonly sequence: bigint;
  readonly event: SpreadEvent | undefined;
}

/**
 * A frame of a Receive stream. A batch contains the events of this package. All other frames are those of the
 * contract.
 */
export type ReceivedFrame =
  | { readonly $case: 'events'; readonly events: readonly BatchEvent[] }
  | Exclude<NonNullable<ReceiveResponse['frame']>, { $case: 'batch' }>;

/** A response of a Receive stream. */
export interface ReceivedResponse {
  /** Undefined for a kind of frame that this release does not know. */
  readonly frame: ReceivedFrame | undefined;
}

/** Internal signal: the generated decoder must decode these bytes. */
const USE_GENERATED_DECODER = new Error('the generated decoder must read this batch');

/**
 * Decodes a response of a Receive stream. This decoder reads the regular messages that the sidecar writes
 * (fields in order, names in ASCII) without intermediate objects. The generated decoder reads everything
 * else.
 *
 * @throws the error of the generated decoder if the bytes are not a message of the contract
 */
export function decodeResponse(bytes: Buffer): ReceivedResponse {
  try {
    if (bytes[0] === TAG_BATCH)
      return { frame: { $case: 'events', events: new BatchDecoder(bytes).decode() } };
  } catch (error) {
    if (error !== USE_GENERATED_DECODER) throw error;
  }
  const { frame } = ReceiveResponse.decode(bytes);
  if (frame?.$case !== 'batch') return { frame };
  return { frame: { $case: 'events', events: frame.value.events.map(fromContract) } };
}

function fromContract(event: Event): BatchEvent {
  return { sequence: event.sequence, event: toSpreadEvent(event) };
}

class BatchDecoder {
  #at = 1;
  // Sender and groups of the previous message, and the position of their bytes. Consecutive messages often
  // have the same.
  #headStart = 0;
  #headLength = 0;
  #sender = '';
  #groups: readonly string[] = [];

  constructor(private readonly bytes: Buffer) {}

  decode(): BatchEvent[] {
    const { bytes } = this;
    if (this.#end(bytes.length) !== bytes.length) throw USE_GENERATED_DECODER;
    const events: BatchEvent[] = [];
    while (this.#at < bytes.length) {
      if (bytes[this.#at++] !== TAG_EVENTS) throw USE_GENERATED_DECODER;
      const end = this.#end(bytes.length);
      const start = this.#at;
      events.push(this.#event(end) ?? fromContract(Event.decode(bytes.subarray(start, end))));
      this.#at = end;
    }
    return events;
  }

  /** Undefined for another kind of event. */
  #event(end: number): BatchEvent | undefined {
    const { bytes } = this;
    if (bytes[this.#at++] !== TAG_SEQUENCE) return undefined;
    const sequence = BigInt(this.#varint(end));
    if (bytes[this.#at++] !== TAG_RECEIVED_AT) return undefined;
    const receivedAt = this.#date(this.#end(end));
    if (bytes[this.#at++] !== TAG_REGULAR_MESSAGE) return undefined;
    if (this.#end(end) !== end) throw USE_GENERATED_DECODER;
    const event = this.#regular(end);
    event.sequence = sequence;
    event.receivedAt = receivedAt;
    return { sequence, event };
  }

  #date(end: number): Date {
    const seconds = this.#isTag(TAG_SECONDS, end) ? this.#varint(end) : 0;
    const nanos = this.#isTag(TAG_NANOS, end) ? this.#varint(end) : 0;
    if (this.#at !== end || nanos > 0x7fff_ffff) throw USE_GENERATED_DECODER;
    return new Date(seconds * 1000 + nanos / 1e6);
  }

  #regular(end: number): RegularMessage {
    if (!this.#isHeadOfLast(end)) this.#readHead(end);
    const serviceType = this.#isTag(TAG_SERVICE_TYPE, end) ? this.#varint(end) : 0;
    const word = this.#isTag(TAG_MESSAGE_TYPE, end) ? this.#varint(end) : 0;
    if (word > 0xffff_ffff || serviceType > 0x7f) throw USE_GENERATED_DECODER;
    const payload = this.#isTag(TAG_PAYLOAD, end) ? this.#payload(this.#end(end)) : Buffer.alloc(0);
    const endianMismatch = this.#isTag(TAG_ENDIAN_MISMATCH, end) && this.#boolean(end);
    // Redundant: the bit is also in `spreadType`.
    if (this.#isTag(TAG_SELF_DISCARD, end)) this.#boolean(end);
    const spreadType = this.#isTag(TAG_SPREAD_TYPE, end) ? this.#varint(end) : 0;
    if (spreadType > 0xffff_ffff) throw USE_GENERATED_DECODER;
    const headers = this.#at === end ? NO_HEADERS : this.#headers(end);
    return new RegularMessage({
      sender: this.#sender,
      groups: this.#groups,
      serviceType: toServiceBits(serviceType),
      messageType: (word >>> 1) ^ -(word & 1),
      payload,
      endianMismatch,
      spreadType,
      headers,
    });
  }

  #headers(end: number): MessageHeaders {
    const headers = new Map<string, string>();
    while (this.#isTag(TAG_HEADERS, end)) {
      const stop = this.#end(end);
      const name = this.#isTag(TAG_ENTRY_KEY, stop) ? this.#name(this.#end(stop)) : '';
      const value = this.#isTag(TAG_ENTRY_VALUE, stop) ? this.#text(this.#end(stop)) : '';
      if (this.#at !== stop) throw USE_GENERATED_DECODER;
      headers.set(name, value);
    }
    if (this.#at !== end) throw USE_GENERATED_DECODER;
    return fromProtoHeaders(headers);
  }

  /**
   * Copies the payload unless it is at least a quarter of the frame. Without the copy, one small message
   * would keep the whole frame in memory.
   */
  #payload(end: number): Buffer {
    const { bytes } = this;
    const start = this.#at;
    this.#at = end;
    const view = bytes.subarray(start, end);
    return (end - start) * 4 >= bytes.length ? view : Buffer.from(view);
  }

  #isHeadOfLast(end: number): boolean {
    const { bytes } = this;
    const start = this.#at;
    const length = this.#headLength;
    if (length === 0 || start + length >= end) return false;
    for (let i = 0; i < length; i++) if (bytes[start + i] !== bytes[this.#headStart + i]) return false;
    if (bytes[start + length] === TAG_GROUPS) return false;
    this.#at = start + length;
    return true;
  }

  #readHead(end: number): void {
    const start = this.#at;
    const sender = this.#isTag(TAG_SENDER, end) ? this.#name(this.#end(end)) : '';
    const groups: string[] = [];
    while (this.#isTag(TAG_GROUPS, end)) groups.push(this.#name(this.#end(end)));
    this.#headStart = start;
    this.#headLength = this.#at - start;
    this.#sender = sender;
    this.#groups = Object.freeze(groups);
  }

  #name(end: number): string {
    const { bytes } = this;
    const start = this.#at;
    for (let i = start; i < end; i++) if ((bytes[i] as number) > 0x7f) throw USE_GENERATED_DECODER;
    this.#at = end;
    return bytes.toString('latin1', start, end);
  }

  /** The sidecar sends only valid UTF-8. */
  #text(end: number): string {
    const start = this.#at;
    this.#at = end;
    return this.bytes.toString('utf8', start, end);
  }

  #isTag(tag: number, end: number): boolean {
    if (this.#at >= end || this.bytes[this.#at] !== tag) return false;
    this.#at += 1;
    return true;
  }

  #boolean(end: number): boolean {
    const value = this.#varint(end);
    if (value > 1) throw USE_GENERATED_DECODER;
    return value === 1;
  }

  /** Reads a length and returns the end of that range. The end is at most `end`. */
  #end(end: number): number {
    const length = this.#varint(end);
    if (length > end - this.#at) throw USE_GENERATED_DECODER;
    return this.#at + length;
  }

  /** An integer from 0 to 2^49 - 1. */
  #varint(end: number): number {
    const { bytes } = this;
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 7 && this.#at < end; count += 1) {
      const byte = bytes[this.#at++] as number;
      if (byte < 0x80) return value + byte * factor;
      value += (byte & 0x7f) * factor;
      factor *= 128;
    }
    throw USE_GENERATED_DECODER;
  }
}
