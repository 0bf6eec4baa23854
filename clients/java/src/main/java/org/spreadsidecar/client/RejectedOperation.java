package org.spreadsidecar.client;

/** What the daemon's policy refused. */
public enum RejectedOperation {
  /** A join. */
  JOIN,
  /** A leave. */
  LEAVE,
  /** A message. */
  MULTICAST
}
