package org.spreadsidecar.client;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Every constant of Spread's C API ({@code sp.h} of Spread 5.0.1), under its own name and with its own value. */
public final class Spread {
  private Spread() {}

  public static final int LOW_PRIORITY = 0;

  public static final int MEDIUM_PRIORITY = 1;

  public static final int HIGH_PRIORITY = 2;

  /** The port of a Spread daemon that is configured for no other. */
  public static final int DEFAULT_SPREAD_PORT = 4803;

  /** The port of a spread-sidecar that is configured for no other. Not a constant of Spread. */
  public static final int DEFAULT_SIDECAR_PORT = 4813;

  /**
   * The release as Spread 5.0.1's header has it: major in bits 24..31, minor in 16..23, patch in 0..15. The header
   * of 5.0.1 says 5.0.0; the triple that SP_version returns, and that version() asks for, is 5.0.1.
   */
  public static final int SPREAD_VERSION = 0x05000000;

  /** Bytes of a group name's field. One of them is the NUL, so a name has at most 31. */
  public static final int MAX_GROUP_NAME = 32;

  /** Most characters of a private name. */
  public static final int MAX_PRIVATE_NAME = 10;

  /** Bytes of a daemon name's field, with its NUL: a daemon name has at most 19. */
  public static final int MAX_PROC_NAME = 20;

  /** Most pieces of one message in the scatter calls of the C library. Payloads here are of one piece. */
  public static final int MAX_CLIENT_SCATTER_ELEMENTS = 100;

  /** Service type: may be lost, in no order. Spread 5 treats it as RELIABLE_MESS. */
  public static final int UNRELIABLE_MESS = 0x00000001;

  /** Service type: arrives, in no order. */
  public static final int RELIABLE_MESS = 0x00000002;

  /** Service type: arrives in its sender's order. */
  public static final int FIFO_MESS = 0x00000004;

  /** Service type: arrives after everything it may depend on. Spread 5 treats it as AGREED_MESS. */
  public static final int CAUSAL_MESS = 0x00000008;

  /** Service type: one total order at all receivers. */
  public static final int AGREED_MESS = 0x00000010;

  /** Service type: AGREED_MESS, and delivered only once every daemon concerned holds it. */
  public static final int SAFE_MESS = 0x00000020;

  /** All six service types. */
  public static final int REGULAR_MESS = 0x0000003F;

  /** Added to a service type: no copy to the sender. */
  public static final int SELF_DISCARD = 0x00000040;

  /**
   * Asks the C library's receive to cut a message that is too long for its buffer. Buffers here always fit, so
   * there is nothing to ask for; the name is kept for programs that print or compare it.
   */
  public static final int DROP_RECV = 0x01000000;

  /** A view of a group. */
  public static final int REG_MEMB_MESS = 0x00001000;

  /** A transitional signal. */
  public static final int TRANSITION_MESS = 0x00002000;

  /** A view because one member joined. */
  public static final int CAUSED_BY_JOIN = 0x00000100;

  /** A view because one member left. Without REG_MEMB_MESS: the receiver itself left. */
  public static final int CAUSED_BY_LEAVE = 0x00000200;

  /** A view because one member's connection ended. */
  public static final int CAUSED_BY_DISCONNECT = 0x00000400;

  /** A view because daemons were lost or found. */
  public static final int CAUSED_BY_NETWORK = 0x00000800;

  /** All bits of membership messages. */
  public static final int MEMBERSHIP_MESS = 0x00003F00;

  /** The byte-order marker of Spread's wire; never set in what this package returns. */
  public static final int ENDIAN_RESERVED = 0x80000080;

  /** Bits that Spread keeps for itself. */
  public static final int RESERVED = 0x003FC000;

  /** A message that the daemon's policy refused. */
  public static final int REJECT_MESS = 0x00400000;

  /** The answer of a daemon that accepts a session. Not an error. */
  public static final int ACCEPT_SESSION = 1;

  /** The spread name is not well formed. */
  public static final int ILLEGAL_SPREAD = -1;

  /** The daemon can't be reached. */
  public static final int COULD_NOT_CONNECT = -2;

  /** The daemon has as many sessions as it may. */
  public static final int REJECT_QUOTA = -3;

  /** No private name was given. Spread 5 never answers it. */
  public static final int REJECT_NO_NAME = -4;

  /** The private name has characters or a length that it may not have. */
  public static final int REJECT_ILLEGAL_NAME = -5;

  /** The private name is in use at this daemon. */
  public static final int REJECT_NOT_UNIQUE = -6;

  /** The daemon does not speak this version. */
  public static final int REJECT_VERSION = -7;

  /** The connection to the daemon has ended. */
  public static final int CONNECTION_CLOSED = -8;

  /** The daemon refused the authentication. */
  public static final int REJECT_AUTH = -9;

  /** There is no such mailbox, or no longer. */
  public static final int ILLEGAL_SESSION = -11;

  /** The service type is not exactly one of the six. */
  public static final int ILLEGAL_SERVICE = -12;

  /** The message is not well formed. */
  public static final int ILLEGAL_MESSAGE = -13;

  /** A group name is not well formed, or there are none or too many. */
  public static final int ILLEGAL_GROUP = -14;

  /** A receive buffer is too short. Cannot happen here; kept for programs that compare it. */
  public static final int BUFFER_TOO_SHORT = -15;

  /** A receive group list is too short. Cannot happen here; kept for programs that compare it. */
  public static final int GROUPS_TOO_SHORT = -16;

  /** The message is longer than the daemon can carry. */
  public static final int MESSAGE_TOO_LONG = -17;

  /** The session had failed before this call. */
  public static final int NET_ERROR_ON_SESSION = -18;

  /** A defect inside Spread. */
  public static final int SP_BUG = -19;

  /** A time that was given is not valid. */
  public static final int ILLEGAL_TIME = -20;

  /** Flush library: a parameter is not valid. */
  public static final int ILLEGAL_PARAM = -24;

  /** Flush library: the call would have to wait. */
  public static final int WOULD_BLOCK = -25;

  /** Flush library: the message type is one that the library keeps for itself. */
  public static final int ILLEGAL_MESSAGE_TYPE = -26;

  /** Flush library: not allowed in the current state of the group. */
  public static final int ILLEGAL_STATE = -27;

  /** Flush library: the list of receivers is not valid. */
  public static final int ILLEGAL_RECEIVERS = -28;

  /**
   * Bytes of the buffer that receive() begins with in the Python wrapper. No buffer has to grow here: this
   * is the largest payload to one group that a Spread 5.0.1 daemon handles safely.
   */
  public static final int DEFAULT_BUFFER_SIZE = 143_119;

  /** Groups that receive() has room for at first in the Python wrapper. Here: the most that Spread 5 allows. */
  public static final int DEFAULT_GROUPS_SIZE = 100;

  /** The number of each of Spread's errors, all negative, by its name. */
  public static final Map<String, Integer> ERRORS;

  static {
    Map<String, Integer> errors = new LinkedHashMap<>();
    errors.put("ILLEGAL_SPREAD", ILLEGAL_SPREAD);
    errors.put("COULD_NOT_CONNECT", COULD_NOT_CONNECT);
    errors.put("REJECT_QUOTA", REJECT_QUOTA);
    errors.put("REJECT_NO_NAME", REJECT_NO_NAME);
    errors.put("REJECT_ILLEGAL_NAME", REJECT_ILLEGAL_NAME);
    errors.put("REJECT_NOT_UNIQUE", REJECT_NOT_UNIQUE);
    errors.put("REJECT_VERSION", REJECT_VERSION);
    errors.put("CONNECTION_CLOSED", CONNECTION_CLOSED);
    errors.put("REJECT_AUTH", REJECT_AUTH);
    errors.put("ILLEGAL_SESSION", ILLEGAL_SESSION);
    errors.put("ILLEGAL_SERVICE", ILLEGAL_SERVICE);
    errors.put("ILLEGAL_MESSAGE", ILLEGAL_MESSAGE);
    errors.put("ILLEGAL_GROUP", ILLEGAL_GROUP);
    errors.put("BUFFER_TOO_SHORT", BUFFER_TOO_SHORT);
    errors.put("GROUPS_TOO_SHORT", GROUPS_TOO_SHORT);
    errors.put("MESSAGE_TOO_LONG", MESSAGE_TOO_LONG);
    errors.put("NET_ERROR_ON_SESSION", NET_ERROR_ON_SESSION);
    errors.put("SP_BUG", SP_BUG);
    errors.put("ILLEGAL_TIME", ILLEGAL_TIME);
    errors.put("ILLEGAL_PARAM", ILLEGAL_PARAM);
    errors.put("WOULD_BLOCK", WOULD_BLOCK);
    errors.put("ILLEGAL_MESSAGE_TYPE", ILLEGAL_MESSAGE_TYPE);
    errors.put("ILLEGAL_STATE", ILLEGAL_STATE);
    errors.put("ILLEGAL_RECEIVERS", ILLEGAL_RECEIVERS);
    ERRORS = Collections.unmodifiableMap(errors);
  }
}
