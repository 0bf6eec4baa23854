import { format } from 'node:util';
import { setLogger } from '@grpc/grpc-js';

/** The message of grpc-js, with the value, for each header that it rejects. */
const UNTAKEN_HEADER = 'Failed to add metadata entry';

/**
 * Suppresses log lines that any client can cause: grpc-js prints each header with an illegal character in full,
 * even a mistyped credential, and as often as a client sends one. Other messages of grpc-js go to stderr as
 * before. Applies to the whole process. A second call has no effect.
 */
export function quietGrpcLog(): void {
  const write = (...parts: unknown[]) => {
    const line = format(...parts);
    if (!line.includes(UNTAKEN_HEADER)) process.stderr.write(`${line}\n`);
  };
  setLogger({ error: write, info: write, debug: write });
}
