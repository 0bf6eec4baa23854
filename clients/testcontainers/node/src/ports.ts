/** Where the sidecar listens inside of its container. */
export const PORTS = {
  /** Its mailboxes. */
  grpc: 4813,
  /** Metrics and health. */
  admin: 4814,
  /** Its own daemon, for Spread clients. */
  daemon: 4803,
} as const;
