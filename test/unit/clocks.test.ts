import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCES = new URL('../../server/src/', import.meta.url).pathname;

/** Where the wall clock is read, how often, and why: for times of day, never for durations. */
const WALL_CLOCK: Readonly<Record<string, number>> = {
  // Times that clients are told.
  'grpc/handlers/receive-stream.ts': 2,
  'mailbox/mailbox.ts': 3,
  'spread/session.ts': 1,
  // Deadlines of grpc-js are times of day; the first is turned into a monotonic time in the turn in which it is made.
  'grpc/calls/observed-call.ts': 1,
  'grpc/client/health-client.ts': 1,
  // Certificates are valid from and to a time of day.
  'grpc/transport/tls-endpoint.ts': 2,
  // The times of files are times of day; only whether a file is young is read off them.
  'sidecar/files-at-rest.ts': 1,
  // The membership id of a daemon holds the time of its start, as with real Spread.
  'daemon/daemon.ts': 1,
};

describe('the server', () => {
  it('measures durations with the monotonic clock: the wall clock is read in few places', () => {
    const found: Record<string, number> = {};
    for (const file of readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.startsWith('gen/')) continue;
      const reads = readFileSync(join(SOURCES, file), 'utf8').match(
        /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/g,
      );
      if (reads) found[file] = reads.length;
    }
    expect(found).toEqual(WALL_CLOCK);
  });
});
