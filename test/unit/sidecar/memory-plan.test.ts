import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../server/src/config/index.js';
import type { ProcessMemory } from '../../../server/src/memory/process-memory.js';
import { type MemoryBounds, planMemory, plannedBytes } from '../../../server/src/sidecar/memory-plan.js';

const MIB = 1024 * 1024;
const machine: ProcessMemory = {
  containerBytes: undefined,
  machineBytes: 16_384 * MIB,
  heapBytes: 4144 * MIB,
};
/** On Node 20, V8's heap limit in a small container is 259 MiB, independent of the container's memory. */
const container = (mib: number): ProcessMemory => ({
  ...machine,
  containerBytes: mib * MIB,
  heapBytes: 259 * MIB,
});

async function planOf(memory: ProcessMemory, env: Record<string, string> = {}) {
  const named = Object.fromEntries(
    Object.entries(env).map(([key, value]) => [`SPREAD_SIDECAR_${key}`, value]),
  );
  return planMemory((await loadConfig({ env: named })).config, memory);
}

describe('memory.limit', () => {
  it('is the configured value', async () => {
    const plan = await planOf(container(512), { MEMORY_LIMIT: '300MiB' });
    expect(plan).toMatchObject({ limit: 300 * MIB, origin: 'memory.limit' });
  });

  it.each([128, 256, 512, 2048])('leaves a fifth of a container of %d MiB', async (mib) => {
    const plan = await planOf(container(mib));
    expect(plan).toMatchObject({ limit: Math.floor(mib * MIB * 0.8), origin: 'container' });
  });

  it('is half of the machine without a container, at most 4 GiB', async () => {
    const small = await planOf({ ...machine, machineBytes: 4096 * MIB });
    expect(small).toMatchObject({ limit: 2048 * MIB, origin: 'machine' });
    expect((await planOf({ ...machine, machineBytes: 65_536 * MIB })).limit).toBe(4096 * MIB);
  });
});

describe('the limits that follow from memory.limit', () => {
  it.each([128, 256, 512, 1024, 4096])('fit into a container of %d MiB', async (mib) => {
    const plan = await planOf(container(mib));
    const { bounds } = plan;
    const objects =
      bounds['limits.maxCalls'] * 24 * 1024 +
      bounds['limits.maxConnections'] * 48 * 1024 +
      bounds['mailbox.maxMailboxes'] * 32 * 1024;
    expect(plannedBytes(plan, true) + objects).toBeLessThan(plan.limit - 50 * MIB);
  });

  it('grow with memory.limit, up to fixed maximums', async () => {
    const [small, medium, large] = await Promise.all([128, 512, 8192].map((mib) => planOf(container(mib))));
    for (const key of Object.keys(small!.bounds) as (keyof MemoryBounds)[]) {
      expect(medium!.bounds[key], key).toBeGreaterThanOrEqual(small!.bounds[key]);
      expect(large!.bounds[key], key).toBeGreaterThanOrEqual(medium!.bounds[key]);
    }
    expect(large!.bounds['mailbox.totalQueueMaxBytes']).toBe(1024 * MIB);
  });

  it('allow one connection half of the calls', async () => {
    const { bounds } = await planOf(container(512));
    expect(bounds['grpc.maxConcurrentStreams']).toBe(Math.floor(bounds['limits.maxCalls'] / 2));
  });

  it('count objects by the heap limit of V8 if that is smaller', async () => {
    const wide = await planOf(container(2048));
    const narrow = await planOf({ ...container(2048), heapBytes: 64 * MIB });
    expect(narrow.bounds['limits.maxCalls']).toBeLessThan(wide.bounds['limits.maxCalls']);
    expect(narrow.bounds['mailbox.totalQueueMaxBytes']).toBe(wide.bounds['mailbox.totalQueueMaxBytes']);
  });

  it('have room for a request of the largest size', async () => {
    const plan = await planOf(container(128), { GRPC_MAX_RECEIVE_MESSAGE_BYTES: '64MiB' });
    expect(plan.bounds['limits.maxBufferedRequestBytes']).toBe(64 * MIB);
  });

  it.each([
    ['MAILBOX_TOTAL_QUEUE_MAX_BYTES', 'mailbox.totalQueueMaxBytes', '7MiB', 7 * MIB],
    ['MAILBOX_QUEUE_MAX_BYTES', 'mailbox.queueMaxBytes', '1MiB', MIB],
    ['MAILBOX_REPLAY_WINDOW', 'mailbox.replayWindow', '0', 0],
    ['MAILBOX_TOTAL_SEND_QUEUE_MAX_BYTES', 'mailbox.totalSendQueueMaxBytes', '1MiB', MIB],
    ['MAILBOX_MAX_MAILBOXES', 'mailbox.maxMailboxes', '7', 7],
    ['LIMITS_MAX_BUFFERED_REQUEST_BYTES', 'limits.maxBufferedRequestBytes', '9MiB', 9 * MIB],
    ['LIMITS_MAX_UNSENT_RESPONSE_BYTES', 'limits.maxUnsentResponseBytes', '1MiB', MIB],
    ['LIMITS_MAX_CALLS', 'limits.maxCalls', '17', 17],
    ['LIMITS_MAX_CONNECTIONS', 'limits.maxConnections', '3', 3],
    ['GRPC_MAX_CONCURRENT_STREAMS', 'grpc.maxConcurrentStreams', '19', 19],
    ['EMBEDDED_MAX_QUEUE_BYTES', 'embedded.maxQueueBytes', '1MiB', MIB],
  ] as const)('%s overrides the derived value', async (variable, key, text, value) => {
    expect((await planOf(container(512), { [variable]: text })).bounds[key]).toBe(value);
  });
});
