import type { SidecarConfig } from '../config/index.js';
import type { GrpcBounds } from '../grpc/server.js';
import { unlessOff } from './mailbox-settings.js';
import type { MemoryBounds } from './memory-plan.js';

/** The limits of the gRPC server from the configuration. */
export function grpcBounds({ grpc, limits }: SidecarConfig, bounds: MemoryBounds): GrpcBounds {
  return {
    transport: {
      maxRequestBytes: grpc.maxReceiveMessageBytes,
      maxConcurrentStreams: bounds['grpc.maxConcurrentStreams'],
      maxConnections: bounds['limits.maxConnections'],
      maxConnectionIdleMs: unlessOff(limits.maxConnectionIdle) ?? 0,
      maxUnsentBytes: bounds['limits.maxUnsentResponseBytes'],
      maxHeaderBytes: limits.maxMetadataBytes,
      compression: limits.compressedRequests,
      requestTimeoutMs: limits.requestTimeout,
    },
    calls: {
      maxCalls: bounds['limits.maxCalls'],
      maxCallsPerClient: unlessOff(limits.maxCallsPerClient) ?? Number.POSITIVE_INFINITY,
      callsPerSecond: unlessOff(limits.maxCallsPerSecond) ?? Number.POSITIVE_INFINITY,
      messagesPerSecond: unlessOff(limits.maxMessagesPerSecond) ?? Number.POSITIVE_INFINITY,
    },
    sweep: {
      stallTimeoutMs: limits.stallTimeout,
      maxBufferedBytes: bounds['limits.maxBufferedRequestBytes'],
    },
    sessions: {
      maxControlFrames: limits.maxControlFrames,
      maxAgeMs: unlessOff(limits.maxConnectionAge) ?? Number.POSITIVE_INFINITY,
      ageGraceMs: limits.maxConnectionAgeGrace,
    },
  };
}
