/** The ports in the container. */
export const PORTS = {
  /** The gRPC port. */
  grpc: 4813,
  /** The admin port, for metrics and health. */
  admin: 4814,
  /** The port of the embedded daemon, for Spread clients. */
  daemon: 4803,
} as const;
