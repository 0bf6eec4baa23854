import type { SidecarConfig } from '../config/index.js';
import type { CallBounds } from '../grpc/calls/call-limits.js';
import type { SweepBounds } from '../grpc/calls/call-sweep.js';
import type { TransportOptions } from '../grpc/server.js';
import type { SessionBounds } from '../grpc/transport/sessions/session-guard.js';
import { unlessOff } from './mailbox-settings.js';
import type { MemoryBounds } from './memory-plan.js';

/** The transport of the gRPC server as the configuration has it. */
export function transportOptions(
  { grpc, limits }: SidecarConfig,
  bounds: MemoryBounds,
): Partial<TransportOptions> {
  return {
    maxRequestBytes: grpc.maxReceiveMessageBytes,
    maxConcurrentStreams: bounds['grpc.maxConcurrentStreams'],
    maxConnections: bounds['limits.maxConnections'],
    maxConnectionIdleMs: unlessOff(limits.maxConnectionIdle) ?? 0,
    maxUnsentBytes: bounds['limits.maxUnsentResponseBytes'],
    maxHeaderBytes: limits.maxMetadataBytes,
    compression: limits.compressedRequests,
    requestTimeoutMs: limits.requestTimeout,
  };
}

/** The bounds on what calls hold as the configuration has them. */
export function sweepBounds(
  { limits }: SidecarConfig,
  bounds: MemoryBounds,
): Omit<SweepBounds, 'requestTimeoutMs'> {
  return {
    stallTimeoutMs: limits.stallTimeout,
    maxBufferedBytes: bounds['limits.maxBufferedRequestBytes'],
  };
}

/** The bounds of a connection as the configuration has them. */
export function sessionBounds({ limits }: SidecarConfig): Partial<SessionBounds> {
  return {
    maxControlFrames: limits.maxControlFrames,
    maxAgeMs: unlessOff(limits.maxConnectionAge) ?? Number.POSITIVE_INFINITY,
    ageGraceMs: limits.maxConnectionAgeGrace,
  };
}

/** The bounds on calls as the configuration has them. */
export function callBounds({ limits }: SidecarConfig, bounds: MemoryBounds): CallBounds {
  return {
    maxCalls: bounds['limits.maxCalls'],
    maxCallsPerClient: unlessOff(limits.maxCallsPerClient) ?? Number.POSITIVE_INFINITY,
    callsPerSecond: unlessOff(limits.maxCallsPerSecond) ?? Number.POSITIVE_INFINITY,
    messagesPerSecond: unlessOff(limits.maxMessagesPerSecond) ?? Number.POSITIVE_INFINITY,
  };
}
