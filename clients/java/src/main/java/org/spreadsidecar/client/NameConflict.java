package org.spreadsidecar.client;

/** What connect does when another session has the private name. */
public enum NameConflict {
  /** Connect fails with REJECT_NOT_UNIQUE. The default. */
  FAIL,
  /** The sidecar tries variants of the name with a number. */
  SUFFIX
}
