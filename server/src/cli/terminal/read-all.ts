import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';

/**
 * Reads all of standard input.
 *
 * @param most - larger input is rejected before it is read completely
 */
export async function readAll({ stdin, signal }: CommandContext, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stop = () => stdin.destroy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin) {
      const buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
      bytes += buffer.length;
      if (bytes > most)
        throw new CommandFailure(`the message on standard input has more than ${most} bytes`, ExitCode.usage);
      chunks.push(buffer);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks);
}
