/**
 * Every constant of Spread's C API (`sp.h` of Spread 5.0.1), under its own name and with its own value.
 *
 * @module
 */

/** Connection priorities. Spread 5 stores 0 and 1 and gives them no effect; 2 is refused. */
export const LOW_PRIORITY = 0;
/** See {@link LOW_PRIORITY}. */
export const MEDIUM_PRIORITY = 1;
/** See {@link LOW_PRIORITY}. Spread's connect calls refuse it, and so does the sidecar. */
export const HIGH_PRIORITY = 2;

/** The port of a Spread daemon that is configured for no other. */
export const DEFAULT_SPREAD_PORT = 4803;
/** The port of a spread-sidecar that is configured for no other. Not a constant of Spread. */
export const DEFAULT_SIDECAR_PORT = 4813;

/**
 * The release as Spread 5.0.1's header has it: major in bits 24..31, minor in 16..23, patch in 0..15. The
 * header of 5.0.1 says 5.0.0; the triple that SP_version returns, and that `version()` asks for, is 5.0.1.
 */
export const SPREAD_VERSION = 0x05000000;

/** Bytes of a group name's field. Unit: bytes; one of them is the NUL, so a name has at most 31. */
export const MAX_GROUP_NAME = 32;
/** Most characters of a private name. */
export const MAX_PRIVATE_NAME = 10;
/** Bytes of a daemon name's field, with its NUL: a daemon name has at most 19. */
export const MAX_PROC_NAME = 20;
/** Most pieces of one message in the scatter calls of the C library. Payloads here are of one piece. */
export const MAX_CLIENT_SCATTER_ELEMENTS = 100;

/** Service type: may be lost, in no order. Spread 5 treats it as {@link RELIABLE_MESS}. */
export const UNRELIABLE_MESS = 0x00000001;
/** Service type: arrives, in no order. */
export const RELIABLE_MESS = 0x00000002;
/** Service type: arrives in its sender's order. */
export const FIFO_MESS = 0x00000004;
/** Service type: arrives after everything it may depend on. Spread 5 treats it as {@link AGREED_MESS}. */
export const CAUSAL_MESS = 0x00000008;
/** Service type: one total order at all receivers. */
export const AGREED_MESS = 0x00000010;
/** Service type: {@link AGREED_MESS}, and delivered only once every daemon concerned holds it. */
export const SAFE_MESS = 0x00000020;
/** All six service types. */
export const REGULAR_MESS = 0x0000003f;

/** Added to a service type: no copy to the sender. */
export const SELF_DISCARD = 0x00000040;
/**
 * Asks the C library's receive to cut a message that is too long for its buffer. Buffers here always fit,
 * so there is nothing to ask for; the name is kept for programs that print or compare it.
 */
export const DROP_RECV = 0x01000000;

/** A view of a group. */
export const REG_MEMB_MESS = 0x00001000;
/** A transitional signal. */
export const TRANSITION_MESS = 0x00002000;
/** A view because one member joined. */
export const CAUSED_BY_JOIN = 0x00000100;
/** A view because one member left. Without {@link REG_MEMB_MESS}: the receiver itself left. */
export const CAUSED_BY_LEAVE = 0x00000200;
/** A view because one member's connection ended. */
export const CAUSED_BY_DISCONNECT = 0x00000400;
/** A view because daemons were lost or found. */
export const CAUSED_BY_NETWORK = 0x00000800;
/** All bits of membership messages. */
export const MEMBERSHIP_MESS = 0x00003f00;

/** The byte-order marker of Spread's wire; never set in what this package returns. */
export const ENDIAN_RESERVED = 0x80000080;
/** Bits that Spread keeps for itself. */
export const RESERVED = 0x003fc000;
/** A message that the daemon's policy refused. */
export const REJECT_MESS = 0x00400000;

/** The answer of a daemon that accepts a session. Not an error. */
export const ACCEPT_SESSION = 1;
/** The spread name is not well formed. */
export const ILLEGAL_SPREAD = -1;
/** The daemon can't be reached. */
export const COULD_NOT_CONNECT = -2;
/** The daemon has as many sessions as it may. */
export const REJECT_QUOTA = -3;
/** No private name was given. Spread 5 never answers it. */
export const REJECT_NO_NAME = -4;
/** The private name has characters or a length that it may not have. */
export const REJECT_ILLEGAL_NAME = -5;
/** The private name is in use at this daemon. */
export const REJECT_NOT_UNIQUE = -6;
/** The daemon does not speak this version. */
export const REJECT_VERSION = -7;
/** The connection to the daemon has ended. */
export const CONNECTION_CLOSED = -8;
/** The daemon refused the authentication. */
export const REJECT_AUTH = -9;
/** There is no such mailbox, or no longer. */
export const ILLEGAL_SESSION = -11;
/** The service type is not exactly one of the six. */
export const ILLEGAL_SERVICE = -12;
/** The message is not well formed. */
export const ILLEGAL_MESSAGE = -13;
/** A group name is not well formed, or there are none or too many. */
export const ILLEGAL_GROUP = -14;
/** A receive buffer is too short. Cannot happen here; kept for programs that compare it. */
export const BUFFER_TOO_SHORT = -15;
/** A receive group list is too short. Cannot happen here; kept for programs that compare it. */
export const GROUPS_TOO_SHORT = -16;
/** The message is longer than the daemon can carry. */
export const MESSAGE_TOO_LONG = -17;
/** The session had failed before this call. */
export const NET_ERROR_ON_SESSION = -18;
/** A defect inside Spread. */
export const SP_BUG = -19;
/** A time that was given is not valid. */
export const ILLEGAL_TIME = -20;

/** Flush library: a parameter is not valid. */
export const ILLEGAL_PARAM = -24;
/** Flush library: the call would have to wait. */
export const WOULD_BLOCK = -25;
/** Flush library: the message type is one that the library keeps for itself. */
export const ILLEGAL_MESSAGE_TYPE = -26;
/** Flush library: not allowed in the current state of the group. */
export const ILLEGAL_STATE = -27;
/** Flush library: the list of receivers is not valid. */
export const ILLEGAL_RECEIVERS = -28;

/**
 * Bytes of the buffer that `receive()` begins with in the Python wrapper. No buffer has to
 * grow here: this is the largest payload to one group that a Spread 5.0.1 daemon handles safely. Unit: bytes.
 */
export const DEFAULT_BUFFER_SIZE = 143_119;
/** Groups that `receive()` has room for at first in the Python wrapper. Here: the most that Spread 5 allows. */
export const DEFAULT_GROUPS_SIZE = 100;
