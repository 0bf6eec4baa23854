import { spawnSync } from 'node:child_process';

/**
 * Runs a command to its end, and throws when it fails.
 *
 * @param options - `quiet`: its output is shown only when it fails; the rest goes to spawnSync
 */
export function run(command, args, { quiet = false, ...options } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 2, 2];
  const result = spawnSync(command, args, { stdio, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
  if (result.error) throw result.error;
  if (result.status !== 0)
    throw new Error(
      [
        `${command} ${args.join(' ')} failed (exit ${result.status ?? result.signal})`,
        result.stdout,
        result.stderr,
      ]
        .filter(Boolean)
        .join('\n'),
    );
}
