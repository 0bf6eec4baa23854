import type { MulticastMessage } from 'spread-sidecar-proto';
import { fromProtoHeaders, type MessageHeaders, toProtoHeaders } from './headers.js';
import { fromServiceBits, toServiceBits } from './service-type.js';
import { localSpreadError } from './spread-error.js';

/** A payload: bytes, or text that is sent as UTF-8. */
export type Payload = Uint8Array | string;

/** Options of a message. */
export interface MulticastOptions {
  /**
   * Whether the daemon does not deliver the message to this mailbox. The same as `SELF_DISCARD` in the
   * service type. Default: false.
   */
  selfDiscard?: boolean;
  /** Headers that travel with the message. Default: none. */
  headers?: MessageHeaders | undefined;
}

function toBuffer(payload: Payload): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload, 'utf8');
  if (Buffer.isBuffer(payload)) return payload;
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

/**
 * Converts a message to the contract. The sidecar validates the values; this function only rejects what the
 * contract cannot represent. Bytes are not copied and must not change until the call ends.
 */
export function toMulticastMessage(
  serviceBits: number,
  groups: readonly string[],
  payload: Payload,
  messageType = 0,
  options: MulticastOptions = {},
): MulticastMessage {
  const { serviceType, selfDiscard } = fromServiceBits(serviceBits);
  if (!Number.isInteger(messageType) || Math.abs(messageType) > 0x7fff_ffff)
    throw localSpreadError(
      'ILLEGAL_MESSAGE',
      `messageType must be from -32768 to 32767; got ${messageType}`,
      {
        field: 'message_type',
        bound: '-32768 to 32767',
      },
    );
  return {
    serviceType,
    groups: [...groups],
    payload: toBuffer(payload),
    messageType,
    selfDiscard: selfDiscard || options.selfDiscard === true,
    headers: toProtoHeaders(options.headers),
  };
}

/** A message of a sender. */
export interface OutgoingMessage {
  /** One of Spread's bits, such as `SAFE_MESS`. */
  readonly serviceType: number;
  readonly groups: readonly string[];
  readonly payload: Buffer;
  readonly messageType: number;
  readonly selfDiscard: boolean;
  readonly headers: MessageHeaders;
}

export function toOutgoing(message: MulticastMessage): OutgoingMessage {
  const { groups, payload, messageType, selfDiscard } = message;
  const serviceType = toServiceBits(message.serviceType);
  const headers = fromProtoHeaders(message.headers);
  return { serviceType, groups, payload, messageType, selfDiscard, headers };
}
