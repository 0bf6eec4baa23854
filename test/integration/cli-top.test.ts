import { AGREED_MESS } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { until } from '../support/until.js';
import { startOnTerminal } from './pseudo-terminal.js';

/** A sidecar with two mailboxes, one of which sends. */
async function busySidecar() {
  const sidecar = await startSecured({});
  const client = sidecar.client();
  const first = await client.connect({ privateName: 'first' });
  const second = await client.connect({ privateName: 'second' });
  await second.join('orders', { awaitView: true });
  for (let sent = 0; sent < 50; sent++) await first.multicast(AGREED_MESS, 'orders', 'hello');
  return sidecar;
}

const RESTORED = '\x1b[?7h\x1b[?25h\x1b[?1049l';

function expectRestored(terminal: { output: string }, settings: readonly string[]): void {
  expect(terminal.output).toContain(RESTORED);
  expect(settings).toEqual(expect.arrayContaining(['icanon', 'echo', 'isig']));
}

describe.skipIf(!isAvailable('terminal'))('top on a terminal', () => {
  it('shows the mailboxes, reacts to keys and to the size, and restores the terminal', async () => {
    const sidecar = await busySidecar();
    const terminal = startOnTerminal({ columns: 110, rows: 8 }, [
      ...['top', '--admin', sidecar.admin, '--interval', '200ms'],
    ]);
    const shows = (pattern: RegExp) =>
      until(() => terminal.screen.some((line) => pattern.test(line)), {
        what: `${pattern} on the screen`,
        timeoutMs: 10_000,
      });
    await shows(/^m2 +#second#/);
    const [header, daemon, totals, note] = terminal.screen;
    expect(header).toMatch(/^spread-sidecar 0\.0\.0-test at 127\.0\.0\.1:\d+, up 00:00:\d\d, ready/);
    expect(daemon).toMatch(/^daemon: \S+ \(Spread 5\.0\.1\)/);
    expect(totals).toMatch(/^2 mailboxes, [\d.]+ events\/s in, [\d.]+ messages\/s out, \d+ events queued/);
    expect(note).toContain('rows 1 to 2 of 2, sorted by IN/S, descending');
    expect(terminal.screen[5]).toContain('CLIENT');
    expect(terminal.screen[6]).toMatch(/^m2 /);

    terminal.type('s');
    await shows(/sorted by OUT\/S, descending/);
    await until(() => terminal.screen[6]?.startsWith('m1 '), { what: 'the sender is first' });
    terminal.type('/second\r');
    await shows(/rows 1 to 1 of 1, .*filter: second/);
    terminal.type('h');
    await shows(/^ {2}i +sort by ID/);
    terminal.type('x');
    await shows(/^m2 /);

    terminal.resize({ columns: 45, rows: 7 });
    await until(
      () => terminal.screen[5]?.startsWith('PRIVATE GROUP') && !terminal.screen[5].includes('CLIENT'),
      {
        what: 'the narrow table',
      },
    );
    for (const line of terminal.screen) expect(line.length).toBeLessThanOrEqual(45);
    terminal.type('q');
    const { exitCode, settings } = await terminal.ended();
    expect(exitCode).toBe(0);
    expectRestored(terminal, settings);
  });

  it.each(['Ctrl-C', 'SIGTERM', 'SIGINT'] as const)(
    'ends after %s and restores the terminal',
    async (stop) => {
      const sidecar = await busySidecar();
      const terminal = startOnTerminal({ columns: 80, rows: 24 }, ['top', '--admin', sidecar.admin]);
      await until(() => terminal.screen.some((line) => line.includes('#first#')), { timeoutMs: 10_000 });
      if (stop === 'Ctrl-C') terminal.type('\x03');
      else terminal.signal(stop);
      const { exitCode, settings } = await terminal.ended();
      expect(exitCode).toBe(0);
      expectRestored(terminal, settings);
    },
  );

  it('shows that the sidecar has stopped, and quits meanwhile', async () => {
    const sidecar = await busySidecar();
    const terminal = startOnTerminal({ columns: 120, rows: 24 }, [
      ...['top', '--admin', sidecar.admin, '--interval', '100ms'],
    ]);
    await until(() => terminal.screen.some((line) => line.includes('#first#')), { timeoutMs: 10_000 });
    await sidecar.stop();
    await until(() => terminal.screen[3]?.includes('connection to the sidecar lost, retrying'));
    terminal.type('q');
    const { exitCode, settings } = await terminal.ended();
    expect(exitCode).toBe(0);
    expectRestored(terminal, settings);
  });
});
