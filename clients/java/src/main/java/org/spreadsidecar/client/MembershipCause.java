package org.spreadsidecar.client;

/** Why a view came to be. */
public enum MembershipCause {
  /** One member joined. */
  JOIN,
  /** One member left. */
  LEAVE,
  /** One member's connection ended. */
  DISCONNECT,
  /** Daemons were lost or found. */
  NETWORK
}
