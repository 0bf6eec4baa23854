import { defaultConfig } from '../../../server/src/config/index.js';
import type { GrpcBounds } from '../../../server/src/grpc/server.js';
import { grpcBounds } from '../../../server/src/sidecar/client-limits.js';
import { planMemory } from '../../../server/src/sidecar/memory-plan.js';

const GIB = 2 ** 30;
const config = defaultConfig();
const { bounds } = planMemory(config, {
  containerBytes: undefined,
  machineBytes: 16 * GIB,
  heapBytes: 4 * GIB,
});

/** The limits of a sidecar with default options and enough memory. */
export const GRPC_BOUNDS: GrpcBounds = grpcBounds(config, bounds);

/** The same with other limits of the transport. */
export const boundsWith = (transport: Partial<GrpcBounds['transport']>): GrpcBounds => ({
  ...GRPC_BOUNDS,
  transport: { ...GRPC_BOUNDS.transport, ...transport },
});
