import {
  Event,
  TAG_ENDIAN_MISMATCH,
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
import { payloadStart } from '../../envelope/envelope.js';
import type { EncodeEvent, EventSpace, MailboxEvent } from '../../mailbox/event.js';
import { eventMessage, serviceTypeOf } from './event-message.js';
import { type HeaderMode, headersFieldSize, writeHeadersField } from './message-headers.js';
import { sizeOfVarint, writeVarint } from './varint.js';

type Regular = Extract<MailboxEvent, { kind: 'regular' }>;

/**
 * Writes an element of EventBatch.events: tag, length, Event. Almost all events are regular messages, so this
 * function writes them directly into the queue's memory. It creates no objects, and copies the payload once. The
 * bytes equal those of the generated code; a property test compares them.
 */
export function eventEncoder(headers: HeaderMode): EncodeEvent {
  const opensEnvelopes = headers === 'on';
  return (space, sequence, receivedAtMs, event, privateGroup) => {
    if (event.kind === 'regular') {
      // Position of the payload in the received bytes: behind the envelope, if there is one.
      const start = opensEnvelopes ? payloadStart(event.payload) : 0;
      encodeRegular(space, sequence, receivedAtMs, event, start);
      return;
    }
    const bytes = Event.encode(eventMessage(sequence, receivedAtMs, event, privateGroup, headers)).finish();
    let at = space.reserve(1 + sizeOfVarint(bytes.length) + bytes.length);
    const { buffer } = space;
    buffer[at++] = TAG_EVENTS;
    at = writeVarint(buffer, at, bytes.length);
    buffer.set(bytes, at);
  };
}

function encodeRegular(
  space: EventSpace,
  sequence: number,
  receivedAtMs: number,
  event: Regular,
  start: number,
): void {
  const { sender, groups } = event;
  const payload = start === 0 ? event.payload : event.payload.subarray(start);
  const service: number = serviceTypeOf(event.serviceType);
  const messageType = zigzag(event.messageType);
  const spreadType = event.rawType >>> 0;
  stampWith(receivedAtMs);

  const senderBytes = utf8Length(sender);
  let size = 2; // the service type
  if (spreadType !== 0) size += 1 + sizeOfVarint(spreadType);
  if (senderBytes > 0) size += 1 + sizeOfVarint(senderBytes) + senderBytes;
  for (let i = 0; i < groups.length; i++) {
    const bytes = utf8Length(groups[i]!);
    size += 1 + sizeOfVarint(bytes) + bytes;
  }
  if (messageType !== 0) size += 1 + sizeOfVarint(messageType);
  if (payload.length > 0) size += 1 + sizeOfVarint(payload.length) + payload.length;
  if (event.endianMismatch) size += 2;
  if (event.selfDiscard) size += 2;
  if (start > 0) size += headersFieldSize(event.payload, start);

  const eventSize = 1 + sizeOfVarint(sequence) + stampLength + 1 + sizeOfVarint(size) + size;
  let at = space.reserve(1 + sizeOfVarint(eventSize) + eventSize);
  const { buffer } = space;
  buffer[at++] = TAG_EVENTS;
  at = writeVarint(buffer, at, eventSize);
  buffer[at++] = TAG_SEQUENCE;
  at = writeVarint(buffer, at, sequence);
  for (let i = 0; i < stampLength; i++) buffer[at++] = stamp[i]!;
  buffer[at++] = TAG_REGULAR_MESSAGE;
  at = writeVarint(buffer, at, size);

  if (senderBytes > 0) at = writeName(buffer, at, TAG_SENDER, sender, senderBytes);
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!;
    at = writeName(buffer, at, TAG_GROUPS, group, utf8Length(group));
  }
  buffer[at++] = TAG_SERVICE_TYPE;
  buffer[at++] = service;
  if (messageType !== 0) {
    buffer[at++] = TAG_MESSAGE_TYPE;
    at = writeVarint(buffer, at, messageType);
  }
  if (payload.length > 0) {
    buffer[at++] = TAG_PAYLOAD;
    at = writeVarint(buffer, at, payload.length);
    buffer.set(payload, at);
    at += payload.length;
  }
  if (event.endianMismatch) {
    buffer[at++] = TAG_ENDIAN_MISMATCH;
    buffer[at++] = 1;
  }
  if (event.selfDiscard) {
    buffer[at++] = TAG_SELF_DISCARD;
    buffer[at++] = 1;
  }
  if (spreadType !== 0) {
    buffer[at++] = TAG_SPREAD_TYPE;
    at = writeVarint(buffer, at, spreadType);
  }
  if (start > 0) writeHeadersField(buffer, at, TAG_HEADERS, event.payload, start);
}

/** The encoded received_at of the last requested millisecond, because events come in bursts. */
const stamp = new Uint8Array(32);
let stampLength = 0;
let stampMs = Number.NaN;

function stampWith(ms: number): void {
  if (ms === stampMs) return;
  const seconds = Math.floor(ms / 1000);
  const nanos = (ms - seconds * 1000) * 1_000_000;
  let at = 2;
  if (seconds !== 0) {
    stamp[at++] = TAG_SECONDS;
    at = writeVarint(stamp, at, seconds);
  }
  if (nanos !== 0) {
    stamp[at++] = TAG_NANOS;
    at = writeVarint(stamp, at, nanos);
  }
  stamp[0] = TAG_RECEIVED_AT;
  stamp[1] = at - 2;
  stampLength = at;
  stampMs = ms;
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** Size of a name in UTF-8: its characters are U+0000 to U+00FF, one byte each up to U+007F, otherwise two. */
function utf8Length(name: string): number {
  let length = name.length;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) length++;
  return length;
}

/** For names of a few dozen characters, a loop is faster than the call of Buffer.write into C++. */
function writeName(buffer: Uint8Array, start: number, tag: number, name: string, bytes: number): number {
  let at = start;
  buffer[at++] = tag;
  at = writeVarint(buffer, at, bytes);
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code < 0x80) buffer[at++] = code;
    else {
      buffer[at++] = 0xc0 | (code >> 6);
      buffer[at++] = 0x80 | (code & 0x3f);
    }
  }
  return at;
}
