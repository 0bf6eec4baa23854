import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCES = new URL('../../server/src/', import.meta.url).pathname;

/** The files that read the wall clock, how often, and why: for times of day, never for durations. */
const WALL_CLOCK: Readonly<Record<string, number>> = {
  // Times in frames.
  'grpc/handlers/receive-stream.ts': 2,
  'mailbox/mailbox.ts': 3,
  'spread/session.ts': 1,
  // Times on the JSON pages.
  'mailbox/group-memberships.ts': 1,
  'status/event-ring.ts': 1,
  'status/recent-rows.ts': 1,
  'status/status-pages.ts': 1,
  // Deadlines of grpc-js are times of day. They are converted to monotonic times in the turn in which they
  // are created.
  'grpc/calls/observed-call.ts': 1,
  'grpc/client/health-client.ts': 1,
  // The validity of certificates uses times of day.
  'grpc/transport/tls-endpoint.ts': 2,
  // File times are times of day. They only show whether a file has changed recently.
  'sidecar/files-at-rest.ts': 1,
  // The membership ID of a daemon contains the time of its start, as in real Spread.
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
