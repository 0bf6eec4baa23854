import { format } from 'node:util';
import { setLogger } from '@grpc/grpc-js';

/** Written by grpc-js with the value, for each header that it can't take. */
const UNTAKEN_HEADER = 'Failed to add metadata entry';

/**
 * Keeps from the log what any client can write there: grpc-js prints each header with an illegal character in full, a mistyped
 * credential too, and as often as a client sends one. The rest of what it has to say goes to stderr as before. For the
 * whole process; twice is harmless.
 */
export function quietGrpcLog(): void {
  const write = (...parts: unknown[]) => {
    const line = format(...parts);
    if (!line.includes(UNTAKEN_HEADER)) process.stderr.write(`${line}\n`);
  };
  setLogger({ error: write, info: write, debug: write });
}
