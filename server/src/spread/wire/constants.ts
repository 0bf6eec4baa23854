/** Numbers of Spread's client protocol, as a 5.0.1 daemon behaves. Sizes are bytes. None of them is an option. */

/** Port of a daemon without a port in its configuration. */
export const DEFAULT_SPREAD_PORT = 4803;
/** Folder of the Unix sockets for the Spread name `<port>`: a compile-time constant of Spread. */
export const UNIX_SOCKET_FOLDER = '/tmp';

/** Bits of a frame's `type` word, without the byte-order marker. */
const UNRELIABLE_MESS = 0x01;
const RELIABLE_MESS = 0x02;
export const FIFO_MESS = 0x04;
const CAUSAL_MESS = 0x08;
export const AGREED_MESS = 0x10;
export const SAFE_MESS = 0x20;
/** Any of the six services. */
export const REGULAR_MESS = 0x3f;
/** No copy to the sender. */
export const SELF_DISCARD = 0x40;
export const CAUSED_BY_JOIN = 0x100;
export const CAUSED_BY_LEAVE = 0x200;
const CAUSED_BY_DISCONNECT = 0x400;
const CAUSED_BY_NETWORK = 0x800;
/** Any of the four causes. */
export const CAUSE_MASK = 0xf00;
export const REG_MEMB_MESS = 0x1000;
export const TRANSITION_MESS = 0x2000;
/** Any bit of a membership message: a cause, a view or a transition. */
export const MEMBERSHIP_MESS = 0x3f00;
export const JOIN_MESS = 0x10000;
export const LEAVE_MESS = 0x20000;
export const KILL_MESS = 0x40000;
export const REJECT_MESS = 0x400000;

/**
 * Byte-order marker: all bits set = the word is little-endian, all clear = big-endian. It is symmetric under a
 * byte swap.
 */
export const ENDIAN_RESERVED = 0x80000080;
/** Bits of a `hint` word besides the marker: a 16-bit message type in bits 8..23. */
export const HINT_TYPE_MASK = 0x00ffff00;

/** Frame header. */
export const HEADER_SIZE = 48;
/** Size of a group name's field, NUL padded. 31 bytes are usable. */
export const MAX_GROUP_NAME = 32;
/** Longest private name (user name). */
export const MAX_PRIVATE_NAME = 10;
/** Size of a daemon name's field, including NUL. 19 bytes are usable. */
export const MAX_PROC_NAME = 20;
/** Largest number of groups in a message header. */
export const MAX_GROUPS = 100;
/**
 * From 44 groups on, a 5.0.1 daemon accepts a message and delivers it to no member (transcript 53-44-groups-lost).
 */
export const DEFAULT_MAX_GROUPS_PER_MESSAGE = 43;
/**
 * Largest value of payload + 32 × groups that does not harm a 5.0.1 daemon. A daemon splits header, groups and
 * payload into packets of 1432 bytes and stores their lengths in an array of 100 elements. At 143,152 (100 × 1432
 * − 48) it writes element 100: the message arrives (transcript 49-max-payload), but the daemon's heap is corrupt.
 * With one byte more, the daemon aborts (transcript 50-crash-zone-payload).
 */
export const MAX_MESSAGE_BODY = 143_151;
/** Payload + 32 × groups above which a daemon ends the session (transcript 51-too-long-payload). */
export const DAEMON_MAX_BODY = 143_952;
/** Payload alone above which a daemon ends the session. */
export const DAEMON_MAX_DATA = 144_000;
/** Size of a join, leave or disconnect: header and one group. */
export const COMMAND_SIZE = HEADER_SIZE + MAX_GROUP_NAME;

/** Body words of a view before its sets: group id (12), number of sets (4), offset of the receiver's set (4). */
export const VIEW_PREFIX_SIZE = 20;
/** Three words. */
export const GROUP_ID_SIZE = 12;
/** A reject frame has the rejected message's type word between header and groups. */
export const OLD_TYPE_SIZE = 4;

/** Size of the name of one authentication method, NUL padded. */
export const AUTH_SLOT_SIZE = 30;
export const AUTH_SLOTS = 3;
/** Size of a client's choice of authentication methods. */
export const AUTH_CHOICE_SIZE = AUTH_SLOT_SIZE * AUTH_SLOTS;

/** A version of a client library or a daemon; each part is a byte on the wire. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}
/** The version that this library announces: the protocol of Spread 5.0.1. */
export const CLIENT_VERSION: Version = Object.freeze({ major: 5, minor: 0, patch: 1 });

/** The byte with which a daemon accepts a session. */
export const ACCEPT_SESSION = 1;

/** Spread's service types for a regular message, weakest first. */
export type ServiceTypeName = 'UNRELIABLE' | 'RELIABLE' | 'FIFO' | 'CAUSAL' | 'AGREED' | 'SAFE';

/** Bit of each service. */
export const SERVICE_BITS: Readonly<Record<ServiceTypeName, number>> = Object.freeze({
  UNRELIABLE: UNRELIABLE_MESS,
  RELIABLE: RELIABLE_MESS,
  FIFO: FIFO_MESS,
  CAUSAL: CAUSAL_MESS,
  AGREED: AGREED_MESS,
  SAFE: SAFE_MESS,
});

/** Service of each bit. Undefined for any other number. */
export function serviceOfBits(bits: number): ServiceTypeName | undefined {
  switch (bits) {
    case UNRELIABLE_MESS:
      return 'UNRELIABLE';
    case RELIABLE_MESS:
      return 'RELIABLE';
    case FIFO_MESS:
      return 'FIFO';
    case CAUSAL_MESS:
      return 'CAUSAL';
    case AGREED_MESS:
      return 'AGREED';
    case SAFE_MESS:
      return 'SAFE';
    default:
      return undefined;
  }
}

/** The cause of a view. */
export type ViewCause = 'JOIN' | 'LEAVE' | 'DISCONNECT' | 'NETWORK';

/** Bit of each cause. */
export const CAUSE_BITS: Readonly<Record<ViewCause, number>> = Object.freeze({
  JOIN: CAUSED_BY_JOIN,
  LEAVE: CAUSED_BY_LEAVE,
  DISCONNECT: CAUSED_BY_DISCONNECT,
  NETWORK: CAUSED_BY_NETWORK,
});

/** Cause of each bit. Undefined for any other number. */
export function causeOfBits(bits: number): ViewCause | undefined {
  switch (bits) {
    case CAUSED_BY_JOIN:
      return 'JOIN';
    case CAUSED_BY_LEAVE:
      return 'LEAVE';
    case CAUSED_BY_DISCONNECT:
      return 'DISCONNECT';
    case CAUSED_BY_NETWORK:
      return 'NETWORK';
    default:
      return undefined;
  }
}
