import { expect, it, onTestFinished, vi } from 'vitest';
import { eventLine } from '../../../server/src/cli/commands/daemon.js';
import { ThrottledLines } from '../../../server/src/cli/terminal/throttled-lines.js';
import type { DaemonEvent } from '../../../server/src/daemon/index.js';
import { createEvents, createLogger, logEvents } from '../../../server/src/observability/index.js';

const rejected: DaemonEvent = {
  kind: 'client-refused',
  transport: 'tcp',
  code: 'REJECT_ILLEGAL_NAME',
  message: 'the private name is too long',
};

it('the daemon command limits the lines of each kind of event, and counts suppressed ones', () => {
  let now = 0;
  const written: string[] = [];
  const lines = new ThrottledLines(
    (line) => written.push(line),
    () => now,
  );
  for (let i = 0; i < 1000; i++) lines.write(rejected.kind, () => eventLine(rejected));
  expect(written).toHaveLength(20);
  const closed: DaemonEvent = { kind: 'session-closed', privateGroup: '#a#b', reason: 'disconnect' };
  lines.write(closed.kind, () => eventLine(closed));
  expect(written.at(-1)).toBe('- #a#b (disconnect)');
  now = 10_000;
  lines.write(rejected.kind, () => eventLine(rejected));
  expect(written.at(-1)).toMatch(/too long \(980 lines of this kind suppressed before\)$/);
  lines.flush();
  expect(written).toHaveLength(22);
});

it('the daemon command reports suppressed lines when the events end, and when it ends', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const written: string[] = [];
  const lines = new ThrottledLines((line) => written.push(line));
  for (let i = 0; i < 1000; i++) lines.write(rejected.kind, () => eventLine(rejected));
  vi.advanceTimersByTime(10_000);
  expect(written.slice(20)).toEqual(['(980 lines of this kind suppressed: client-refused)']);
  for (let i = 0; i < 21; i++) lines.write(rejected.kind, () => eventLine(rejected));
  lines.flush();
  expect(written.at(-1)).toBe('(1 line of this kind suppressed: client-refused)');
});

it('the sidecar limits the lines of each kind of event of its embedded daemon', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLogger({ level: 'info', format: 'json', destination });
  const events = createEvents([logEvents(log, () => 0)]);
  for (let i = 0; i < 1000; i++)
    events.embedded.event({
      kind: 'client-refused',
      transport: 'tcp',
      code: 'REJECT_ILLEGAL_NAME',
      message: 'too long',
    });
  expect(lines).toHaveLength(10);
});
