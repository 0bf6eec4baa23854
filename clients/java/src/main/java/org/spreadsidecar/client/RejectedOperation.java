package org.spreadsidecar.client;

/** The operation that the daemon rejected. */
public enum RejectedOperation {
  /** A join. */
  JOIN,
  /** A leave. */
  LEAVE,
  /** A message. */
  MULTICAST
}
