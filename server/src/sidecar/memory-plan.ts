import type { SidecarConfig } from '../config/index.js';
import type { ProcessMemory } from '../memory/process-memory.js';
import { mostMailboxes } from './connection-plan.js';

/** The limits that are derived from memory.limit. An option that is set overrides the derived value. */
export interface MemoryPlan {
  /** The memory that the process should not exceed. Unit: bytes. */
  readonly limit: number;
  /** The origin of the limit. */
  readonly origin: 'memory.limit' | 'container' | 'machine';
  readonly bounds: MemoryBounds;
}

/** Named like their options. Sizes are bytes. */
export interface MemoryBounds {
  readonly 'mailbox.totalQueueMaxBytes': number;
  readonly 'mailbox.queueMaxBytes': number;
  readonly 'mailbox.replayWindow': number;
  readonly 'mailbox.totalSendQueueMaxBytes': number;
  readonly 'mailbox.maxMailboxes': number;
  readonly 'limits.maxBufferedRequestBytes': number;
  readonly 'limits.maxUnsentResponseBytes': number;
  readonly 'limits.maxCalls': number;
  readonly 'limits.maxConnections': number;
  readonly 'grpc.maxConcurrentStreams': number;
  readonly 'embedded.maxQueueBytes': number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** The part of a container's memory that the sidecar leaves to the kernel, to other processes and to peaks. */
const CONTAINER_SHARE = 0.8;
/** The part of a machine's memory that the sidecar uses without a container limit. */
const MACHINE_SHARE = 0.5;
const LARGEST_WITHOUT_CONTAINER = 4 * GIB;

/** An idle process with its code: measured 29 MiB, and 44 MiB of files that the kernel can drop. */
const IDLE_BYTES = 56 * MIB;
/**
 * The rest is room for garbage that V8 and the allocator have not returned. With this part, the sidecar survived
 * three attacks in cgroups of 128, 256 and 512 MiB: docs/attack-results.md#attacks-in-cgroups.
 */
const USABLE_SHARE = 0.6;

/** Parts of the usable memory. The rest is for pages of the admin port and resources without a separate limit. */
const SHARES = {
  events: 0.35,
  sends: 0.1,
  requests: 0.1,
  responses: 0.1,
  embeddedDaemon: 0.1,
  calls: 0.1,
  connections: 0.05,
  mailboxes: 0.05,
} as const;

/** A call with its HTTP/2 stream and its metadata. */
const CALL_BYTES = 24 * KIB;
/** An HTTP/2 connection with its socket, and the partial request at its end. */
const CONNECTION_BYTES = 48 * KIB;
/** The same with TLS. */
const TLS_CONNECTION_BYTES = 96 * KIB;
/** A mailbox without events, its daemon connection, and some groups. */
const MAILBOX_BYTES = 32 * KIB;
/** V8 needs room for new objects and for garbage. */
const HEAP_SHARE = 0.5;

/**
 * Derives every limit of memory from one number, and the number of mailboxes also from the limit of open files.
 */
export function planMemory(
  config: SidecarConfig,
  memory: ProcessMemory,
  openFiles = Number.POSITIVE_INFINITY,
): MemoryPlan {
  const { limit, origin } = limitOf(config, memory);
  const usable = Math.max(0, limit - IDLE_BYTES) * USABLE_SHARE;
  // Calls, connections and mailboxes are objects in V8's heap. Buffers are outside of it.
  const objects = Math.min(usable, memory.heapBytes * HEAP_SHARE);
  const { grpc, mailbox, limits, embedded } = config;
  const bytes = (share: number, least: number, most: number) => between(usable * share, least, most);
  const count = (share: number, each: number, least: number, most: number) =>
    between((objects * share) / each, least, most);
  const set = <T extends number>(value: T | 'auto', derived: number) => (value === 'auto' ? derived : value);

  const totalQueue = set(mailbox.totalQueueMaxBytes, bytes(SHARES.events, 4 * MIB, GIB));
  const derivedCalls = count(SHARES.calls, CALL_BYTES, 64, 10_000);
  const connectionBytes = grpc.tlsCert === '' ? CONNECTION_BYTES : TLS_CONNECTION_BYTES;
  return {
    limit,
    origin,
    bounds: {
      'mailbox.totalQueueMaxBytes': totalQueue,
      'mailbox.queueMaxBytes': set(mailbox.queueMaxBytes, Math.min(64 * MIB, totalQueue)),
      'mailbox.replayWindow': set(mailbox.replayWindow, between(totalQueue / 16, 256 * KIB, 4 * MIB)),
      'mailbox.totalSendQueueMaxBytes': set(
        mailbox.totalSendQueueMaxBytes,
        bytes(SHARES.sends, 2 * MIB, 256 * MIB),
      ),
      'mailbox.maxMailboxes': set(
        mailbox.maxMailboxes,
        Math.min(
          count(SHARES.mailboxes, MAILBOX_BYTES, 32, 1000),
          mostMailboxes(openFiles, embedded.enabled),
        ),
      ),
      'limits.maxBufferedRequestBytes': set(
        limits.maxBufferedRequestBytes,
        Math.max(grpc.maxReceiveMessageBytes, bytes(SHARES.requests, 2 * MIB, 256 * MIB)),
      ),
      'limits.maxUnsentResponseBytes': set(
        limits.maxUnsentResponseBytes,
        bytes(SHARES.responses, 2 * MIB, 256 * MIB),
      ),
      'limits.maxCalls': set(limits.maxCalls, derivedCalls),
      'limits.maxConnections': set(
        limits.maxConnections,
        count(SHARES.connections, connectionBytes, 32, 2000),
      ),
      'grpc.maxConcurrentStreams': set(grpc.maxConcurrentStreams, between(derivedCalls / 2, 32, 4096)),
      'embedded.maxQueueBytes': set(embedded.maxQueueBytes, bytes(SHARES.embeddedDaemon, 4 * MIB, 256 * MIB)),
    },
  };
}

/** The limits of all queues and buffers together. */
export function bufferLimits(embeddedDaemon: boolean): (keyof MemoryBounds)[] {
  return [
    'mailbox.totalQueueMaxBytes',
    'mailbox.totalSendQueueMaxBytes',
    'limits.maxBufferedRequestBytes',
    'limits.maxUnsentResponseBytes',
    ...(embeddedDaemon ? (['embedded.maxQueueBytes'] as const) : []),
  ];
}

/** Bytes of all queues and buffers with a limit. */
export function plannedBytes({ bounds }: MemoryPlan, embeddedDaemon: boolean): number {
  return bufferLimits(embeddedDaemon).reduce((total, name) => total + bounds[name], 0);
}

function limitOf(
  { memory: { limit } }: SidecarConfig,
  memory: ProcessMemory,
): Pick<MemoryPlan, 'limit' | 'origin'> {
  if (limit !== 'auto') return { limit, origin: 'memory.limit' };
  if (memory.containerBytes !== undefined)
    return { limit: Math.floor(memory.containerBytes * CONTAINER_SHARE), origin: 'container' };
  const share = Math.floor(memory.machineBytes * MACHINE_SHARE);
  return { limit: Math.min(share, LARGEST_WITHOUT_CONTAINER), origin: 'machine' };
}

function between(value: number, least: number, most: number): number {
  return Math.floor(Math.min(Math.max(value, least), most));
}
