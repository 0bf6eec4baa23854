package org.spreadsidecar.client;

/** The cause of a view. */
public enum MembershipCause {
  /** One member joined. */
  JOIN,
  /** One member left. */
  LEAVE,
  /** The connection of one member ended. */
  DISCONNECT,
  /** The daemons of the ring changed. */
  NETWORK
}
