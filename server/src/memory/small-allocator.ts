import { isSmallContainer, processMemory } from './process-memory.js';

/**
 * Blocks of at least this size come directly from the kernel and go back to it when they are freed. Without the variable, glibc
 * raises this threshold when a large block is freed, and then keeps freed blocks. Unit: bytes.
 */
const MMAP_THRESHOLD = '65536';
/** Variables of glibc that a user may have set. Each of them makes the threshold fixed. */
const TUNED = ['MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'GLIBC_TUNABLES'];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment in which `serve` must start again in a small container, because glibc reads its variables only at the start of a
 * process. With a container of 128 MiB and Node 24, freed blocks otherwise filled the container: docs/attack-results.md. In larger
 * containers, the threshold would cost up to a third of the throughput of large messages.
 *
 * @param args - arguments of the command
 * @param containerBytes - memory of the container. Undefined: no limit
 * @returns undefined if the process can continue
 */
export function smallAllocatorEnvironment(
  args: readonly string[],
  containerBytes: number | undefined,
  env: Environment,
): Environment | undefined {
  if (args[0] !== 'serve' || !isSmallContainer(containerBytes)) return undefined;
  if (TUNED.some((name) => env[name] !== undefined)) return undefined;
  return { ...env, MALLOC_MMAP_THRESHOLD_: MMAP_THRESHOLD };
}

/** Replaces this process by one with the environment for a small container, where one is needed. Before Node 22.15: does nothing. */
export function restartInSmallContainer(): void {
  const { execve } = process as { execve?(file: string, args: string[], env: Environment): never };
  const args = process.argv.slice(2);
  const env = smallAllocatorEnvironment(args, processMemory().containerBytes, process.env);
  if (execve === undefined || process.platform !== 'linux' || env === undefined) return;
  execve.call(
    process,
    process.execPath,
    [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    env,
  );
}
