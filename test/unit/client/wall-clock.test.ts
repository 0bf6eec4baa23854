import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const clients = fileURLToPath(new URL('../../../clients', import.meta.url));

/**
 * Patterns of code that reads the wall clock, by file extension. A clock change must not affect durations.
 */
const WALL_CLOCKS: Readonly<Record<string, RegExp>> = {
  '.ts': /\bDate\.now\(|new Date\(\)/,
  '.py': /\btime\.time(_ns)?\(|\bdatetime\.(now|utcnow|today)\(/,
  // Without one of these, a time in Go contains the monotonic clock.
  '.go': /time\.Now\(\)\.(Unix|UTC|Local|In|Round|Truncate|AddDate)|\.UnixNano\(\)|\.UnixMilli\(\)/,
  '.java': /System\.currentTimeMillis|Instant\.now\(|LocalDateTime\.now\(|new Date\(\)|Clock\.system/,
  '.rs': /SystemTime::now\(/,
};

/** Uses that are not durations. */
const ALLOWED = new Set([
  // grpc-js takes a deadline as a wall-clock time, and converts it to a timer in the same turn.
  'typescript/src/call.ts',
]);

const FOLDERS = ['typescript/src', 'python/src', 'go', 'java/src/main', 'rust/src'];

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['gen', 'node_modules'].includes(entry.name) ? [] : sources(path);
    return extname(entry.name) in WALL_CLOCKS && !/_test\.go$/.test(entry.name) ? [path] : [];
  });
}

it.each(FOLDERS)('the client in %s measures durations by the monotonic clock', (folder) => {
  const files = sources(join(clients, folder));
  expect(files.length).toBeGreaterThan(10);
  const found = files
    .map((path) => relative(clients, path))
    .filter((path) => !ALLOWED.has(path) && !/conformance/.test(path))
    .filter((path) => WALL_CLOCKS[extname(path)]!.test(readFileSync(join(clients, path), 'utf8')));
  expect(found).toEqual([]);
});
