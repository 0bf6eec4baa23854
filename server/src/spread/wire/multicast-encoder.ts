import {
  HEADER_SIZE,
  MAX_GROUP_NAME,
  SELF_DISCARD,
  SERVICE_BITS,
  type ServiceTypeName,
} from './constants.js';
import { encodeHeader, writeDataLength } from './header.js';
import { writeName } from './names.js';
import {
  checkMulticast,
  DEFAULT_MESSAGE_LIMITS,
  type MessageLimits,
  type MulticastFields,
  payloadRoom,
} from './requests.js';

/** Up to this payload size, a copy is cheaper than a second piece to write. */
export const COALESCED_PAYLOAD = 8192;

/** Memory into which frames are written, one after the other. */
export interface FrameSpace {
  /** Reserves the next `bytes` bytes. Returns their position in `buffer`. */
  reserve(bytes: number): number;
  /** Read it after reserve(). */
  readonly buffer: Buffer;
}

/**
 * Encodes the messages of one session. Neighbouring messages mostly differ only in their payload, so the encoder
 * keeps the header and groups of the last one. For the next message with the same ones, they are neither checked
 * nor built again.
 */
export class MulticastEncoder {
  readonly #privateGroup: string;
  readonly #limits: MessageLimits;
  #head: Buffer = Buffer.alloc(0);
  #serviceType: ServiceTypeName | undefined;
  #selfDiscard = false;
  #messageType = 0;
  #groups: string[] = [];
  /** Largest payload size with this head. */
  #room = 0;

  /** @param privateGroup the sender's, as the daemon assigned it in the handshake */
  constructor(privateGroup: string, limits: MessageLimits = DEFAULT_MESSAGE_LIMITS) {
    this.#privateGroup = privateGroup;
    this.#limits = limits;
  }

  /**
   * Writes a message into `space`. A payload of more than COALESCED_PAYLOAD bytes is not written but returned, and
   * must follow. Throws like `checkMulticast`, before anything is reserved.
   */
  encode(message: Omit<MulticastFields, 'privateGroup'>, space: FrameSpace): Uint8Array | undefined {
    const { payload } = message;
    if (!this.#isLikeLast(message) || payload.length > this.#room) this.#remember(message);
    const head = this.#head;
    const together = payload.length <= COALESCED_PAYLOAD;
    const at = space.reserve(together ? head.length + payload.length : head.length);
    const { buffer } = space;
    buffer.set(head, at);
    writeDataLength(buffer, at, payload.length);
    if (!together) return payload;
    buffer.set(payload, at + head.length);
    return undefined;
  }

  #isLikeLast(message: Omit<MulticastFields, 'privateGroup'>): boolean {
    const { serviceType, selfDiscard = false, messageType = 0, groups } = message;
    const last = this.#groups;
    if (
      serviceType !== this.#serviceType ||
      selfDiscard !== this.#selfDiscard ||
      messageType !== this.#messageType ||
      groups.length !== last.length
    )
      return false;
    for (let i = 0; i < last.length; i++) if (groups[i] !== last[i]) return false;
    return true;
  }

  #remember(message: Omit<MulticastFields, 'privateGroup'>): void {
    checkMulticast(message, this.#limits);
    const { serviceType, selfDiscard = false, messageType = 0, groups } = message;
    const head = Buffer.allocUnsafeSlow(HEADER_SIZE + MAX_GROUP_NAME * groups.length);
    encodeHeader(head, 0, {
      type: SERVICE_BITS[serviceType] | (selfDiscard ? SELF_DISCARD : 0),
      privateGroup: this.#privateGroup,
      numGroups: groups.length,
      messageType,
      dataLength: 0,
    });
    for (let i = 0; i < groups.length; i++)
      writeName(head, HEADER_SIZE + i * MAX_GROUP_NAME, groups[i] as string);
    this.#head = head;
    this.#serviceType = serviceType;
    this.#selfDiscard = selfDiscard;
    this.#messageType = messageType;
    this.#groups = [...groups];
    this.#room = payloadRoom(groups.length, this.#limits);
  }
}

/**
 * The bytes of one message, checked by `checkMulticast`: one buffer. With a payload of more than COALESCED_PAYLOAD
 * bytes: the header with groups, then the payload without a copy.
 */
export function encodeMulticast(
  fields: MulticastFields,
  limits: MessageLimits = DEFAULT_MESSAGE_LIMITS,
): Buffer[] {
  let buffer = Buffer.alloc(0);
  const space: FrameSpace = {
    reserve(bytes) {
      buffer = Buffer.allocUnsafe(bytes);
      return 0;
    },
    get buffer() {
      return buffer;
    },
  };
  const rest = new MulticastEncoder(fields.privateGroup, limits).encode(fields, space);
  return rest === undefined ? [buffer] : [buffer, Buffer.from(rest.buffer, rest.byteOffset, rest.length)];
}
