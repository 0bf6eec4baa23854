import { expect, it } from 'vitest';
import { throttledEventLines } from '../../../server/src/cli/commands/daemon.js';
import type { DaemonEvent } from '../../../server/src/daemon/index.js';
import { createEvents, createLogger, logEvents } from '../../../server/src/observability/index.js';

const rejected: DaemonEvent = {
  kind: 'client-refused',
  transport: 'tcp',
  code: 'REJECT_ILLEGAL_NAME',
  message: 'the private name is too long',
};

it('the daemon command bounds the lines of each kind of event, and counts those that it leaves out', () => {
  let now = 0;
  const line = throttledEventLines(() => now);
  const written = Array.from({ length: 1000 }, () => line(rejected)).filter((text) => text !== undefined);
  expect(written).toHaveLength(20);
  expect(line({ kind: 'session-closed', privateGroup: '#a#b', reason: 'disconnect' })).toBe(
    '- #a#b (disconnect)',
  );
  now = 10_000;
  expect(line(rejected)).toMatch(/too long \(980 lines of this kind left out before\)$/);
});

it('the sidecar bounds the lines of each kind of event of its embedded daemon', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLogger({ level: 'info', format: 'json', destination });
  const events = createEvents([logEvents(log, () => 0)]);
  for (let i = 0; i < 1000; i++) events.embedded.event({ kind: 'client-refused', message: 'too long' });
  expect(lines).toHaveLength(10);
});
