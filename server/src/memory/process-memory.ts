import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** The memory that this process may use. Unit of all: bytes. */
export interface ProcessMemory {
  /** The limit of the process's cgroup (v1 or v2), which a container sets. Undefined: none. */
  readonly containerBytes: number | undefined;
  /** The memory of the machine. */
  readonly machineBytes: number;
  /** The limit of V8's heap, which does not include buffers. */
  readonly heapBytes: number;
}

/** A container with less memory has no room for garbage, nor for freed blocks. Unit: bytes. */
const SMALL_CONTAINER_BYTES = 256 * 1024 * 1024;

/** @param containerBytes - memory of the container. Undefined: no limit */
export function isSmallContainer(containerBytes: number | undefined): boolean {
  return containerBytes !== undefined && containerBytes < SMALL_CONTAINER_BYTES;
}

/** Reads the limits of this process. */
export function processMemory(): ProcessMemory {
  const machineBytes = totalmem();
  // 0 or a number above the memory of any machine means that no limit is set.
  const constrained = process.constrainedMemory();
  return {
    containerBytes: constrained > 0 && constrained < machineBytes ? constrained : undefined,
    machineBytes,
    heapBytes: getHeapStatistics().heap_size_limit,
  };
}
