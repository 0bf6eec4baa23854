package org.spreadsidecar.client;

/** What {@code connect} does if the private name is in use by another session. */
public enum NameConflict {
  /** Connect fails with REJECT_NOT_UNIQUE. The default. */
  FAIL,
  /** The sidecar tries variants of the name with a number. */
  SUFFIX
}
