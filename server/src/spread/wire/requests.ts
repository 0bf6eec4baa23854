import {
  COMMAND_SIZE,
  DEFAULT_MAX_GROUPS_PER_MESSAGE,
  HEADER_SIZE,
  JOIN_MESS,
  KILL_MESS,
  LEAVE_MESS,
  MAX_GROUP_NAME,
  MAX_GROUPS,
  MAX_MESSAGE_BODY,
  SELF_DISCARD,
  SERVICE_BITS,
  type ServiceTypeName,
  serviceOfBits,
} from './constants.js';
import { encodeHeader } from './header.js';
import { checkDestination, checkGroupName, writeName } from './names.js';
import { WireError } from './wire-error.js';

/** A message to send. */
export interface MulticastFields {
  /** The own private group, as the daemon assigned it in the handshake. */
  privateGroup: string;
  serviceType: ServiceTypeName;
  /** Whether the sender gets no copy. Default: false. */
  selfDiscard?: boolean;
  /** 1 to `maxGroups` group names or private groups. */
  groups: readonly string[];
  /** -32768..32767. Default: 0. */
  messageType?: number;
  /** A large payload is not copied, so it must stay unchanged until the bytes were accepted. */
  payload: Uint8Array;
  /** Bytes at the start of the payload that the caller's own caller did not give, for error messages. Default: 0. */
  envelopeBytes?: number;
}

/** The limits of a message. */
export interface MessageLimits {
  /**
   * Largest number of groups, 1..100. Default: 43, because a 5.0.1 daemon delivers a message to more groups to no
   * member.
   */
  readonly maxGroups: number;
  /**
   * Largest value of payload + 32 × groups, at most 143,151 (the default): one byte more corrupts the memory of a
   * 5.0.1 daemon.
   */
  readonly maxBody: number;
}

/** Limits within which a 5.0.1 daemon works correctly (transcripts 50 to 53). */
export const DEFAULT_MESSAGE_LIMITS: MessageLimits = Object.freeze({
  maxGroups: DEFAULT_MAX_GROUPS_PER_MESSAGE,
  maxBody: MAX_MESSAGE_BODY,
});

/** Service and self-discard as one number, like in Spread's own API. */
export interface ServiceBits {
  serviceType: ServiceTypeName;
  selfDiscard: boolean;
}

/**
 * Parses a service type given as Spread's number: exactly one of the six services, optionally with SELF_DISCARD.
 * Throws WireError ILLEGAL_SERVICE: any other bit makes the daemon end the session or, worse, crash (transcripts
 * 57 and 60).
 */
export function serviceTypeFromBits(bits: number): ServiceBits {
  const serviceType = serviceOfBits(bits & ~SELF_DISCARD);
  if (serviceType === undefined || !Number.isInteger(bits) || bits > 0xff) {
    const bound = 'one of 0x1, 0x2, 0x4, 0x8, 0x10, 0x20, and 0x40 for self-discard';
    const shown = Number.isInteger(bits) ? `0x${(bits >>> 0).toString(16)}` : String(bits);
    throw new WireError(
      'ILLEGAL_SERVICE',
      'service_type',
      `service_type is ${shown}; it must be ${bound}`,
      bound,
    );
  }
  return { serviceType, selfDiscard: (bits & SELF_DISCARD) !== 0 };
}

/** Largest payload of a message to this number of groups. */
export function payloadRoom(groups: number, limits: MessageLimits): number {
  return Math.min(limits.maxBody, MAX_MESSAGE_BODY) - MAX_GROUP_NAME * groups;
}

/**
 * Rejects, before sending, a message that would harm the session or the daemon, or reach no member. Throws
 * WireError: ILLEGAL_SERVICE, ILLEGAL_GROUP (names and their number), ILLEGAL_MESSAGE (message type),
 * MESSAGE_TOO_LONG (payload + 32 × groups).
 */
export function checkMulticast(
  fields: Omit<MulticastFields, 'privateGroup'>,
  limits: MessageLimits = DEFAULT_MESSAGE_LIMITS,
): void {
  const { serviceType, groups, payload, messageType = 0 } = fields;
  if (typeof SERVICE_BITS[serviceType] !== 'number') {
    const bound = Object.keys(SERVICE_BITS).join(', ');
    throw new WireError(
      'ILLEGAL_SERVICE',
      'service_type',
      `service_type is ${serviceType}; it must be one of ${bound}`,
      bound,
    );
  }
  if (!(messageType >= -32768 && messageType <= 32767) || !Number.isInteger(messageType)) {
    const bound = '-32768..32767';
    throw new WireError(
      'ILLEGAL_MESSAGE',
      'message_type',
      `message_type is ${messageType}; it must be a whole number from -32768 to 32767`,
      bound,
    );
  }
  const maxGroups = Math.min(limits.maxGroups, MAX_GROUPS);
  if (groups.length < 1 || groups.length > maxGroups) {
    const bound = `1..${maxGroups}`;
    const reason =
      groups.length > maxGroups && groups.length > DEFAULT_MAX_GROUPS_PER_MESSAGE
        ? ': Spread 5.0.1 loses messages to more than 43 groups, and disconnects a client that names more than 100'
        : '';
    throw new WireError(
      'ILLEGAL_GROUP',
      'groups',
      `groups has ${groups.length} names; it must have 1 to ${maxGroups}${reason}`,
      bound,
    );
  }
  for (let i = 0; i < groups.length; i++) checkDestination(groups[i] as string, `groups[${i}]`);
  const room = payloadRoom(groups.length, limits);
  if (payload.length > room) throw messageTooLong(fields, room);
}

function messageTooLong(fields: Omit<MulticastFields, 'privateGroup'>, room: number): WireError {
  const { groups, envelopeBytes = 0 } = fields;
  const bytes = fields.payload.length - envelopeBytes;
  const most = Math.max(0, room - envelopeBytes);
  const envelope = envelopeBytes > 0 ? `, and the envelope of its headers has ${envelopeBytes} bytes` : '';
  return new WireError(
    'MESSAGE_TOO_LONG',
    'payload',
    `payload has ${bytes} bytes${envelope}; to ${groups.length} ${groups.length === 1 ? 'group' : 'groups'} it may have at most ${most} bytes` +
      `. Payload + 32 × groups above ${room + MAX_GROUP_NAME * groups.length} aborts Spread 5.0.1`,
    `0..${most} bytes`,
  );
}

/** 80 bytes: join `group`. Throws WireError ILLEGAL_GROUP for a name that Spread's own library rejects. */
export function encodeJoin(privateGroup: string, group: string): Buffer {
  checkGroupName(group);
  return command(JOIN_MESS, privateGroup, group);
}

/** 80 bytes: leave `group`. Throws WireError ILLEGAL_GROUP like for a join. */
export function encodeLeave(privateGroup: string, group: string): Buffer {
  checkGroupName(group);
  return command(LEAVE_MESS, privateGroup, group);
}

/** 80 bytes: the clean disconnect. The daemon then closes the connection. */
export function encodeDisconnect(privateGroup: string): Buffer {
  return command(KILL_MESS, privateGroup, privateGroup);
}

function command(type: number, privateGroup: string, group: string): Buffer {
  const frame = Buffer.allocUnsafe(COMMAND_SIZE);
  encodeHeader(frame, 0, { type, privateGroup, numGroups: 1, dataLength: 0 });
  writeName(frame, HEADER_SIZE, group);
  return frame;
}
