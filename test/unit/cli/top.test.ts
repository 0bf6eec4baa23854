import { createServer, type IncomingMessage } from 'node:http';
import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Fields } from '../../../server/src/cli/admin/admin-client.js';
import { Interruption } from '../../../server/src/cli/terminal/interruption.js';
import { displayWidth } from '../../../server/src/cli/terminal/table.js';
import type { Sample } from '../../../server/src/cli/top/sample.js';
import { TotalRates } from '../../../server/src/cli/top/total-rates.js';
import { columnsFor, duration, plainLines, screenLines } from '../../../server/src/cli/top/view.js';
import { applyKey, initialState, type Key, type ViewState } from '../../../server/src/cli/top/view-state.js';
import { startCli } from '../../support/sidecars/cli.js';
import { until } from '../../support/until.js';

const HOSTILE = '#\x1b]0;owned\x07\u009b2J\r\n\u202ex#host';
const STATUS = {
  version: '1.2.3',
  startedAt: '2026-01-01T00:00:00.000Z',
  uptimeMs: 93_784_000,
  stage: 'serving',
  ready: true,
  checks: [{ name: 'grpc', ok: true }],
  mailboxes: 2,
  totals: { receivedEvents: 100, sentMessages: 10, waitingEvents: 3, waitingBytes: 42 },
  daemon: { up: true, address: '4803@localhost', version: '5.0.1', history: [] },
};
const mailbox = (displayId: string, privateGroup: string): Fields => ({
  displayId,
  privateGroup,
  client: `token:${'a'.repeat(64)}`,
  state: 'OPEN',
  receiverAttached: true,
  groupCount: 2,
  queue: { events: 3, maxEvents: 1000, bytes: 42 },
  received: { perSecond: 1.26 },
  sent: { perSecond: 0 },
});
const sample = (
  status: Fields = STATUS,
  mailboxes = [mailbox('m1', '#a#host'), mailbox('m2', HOSTILE)],
): Sample => ({
  status,
  page: { schema: 1, offset: 0, total: 9, nextOffset: 2, mailboxes },
  receivedPerSecond: 12.34,
  sentPerSecond: 0,
});
const START = initialState('-receivedPerSecond', '');
const PLAIN = createColors(false);
const screen = (
  columns: number,
  rows: number,
  state: ViewState = START,
  problem?: string,
  shown = sample(),
) => screenLines(shown, state, '127.0.0.1:4814', problem, { columns, rows }, PLAIN);

describe('the screen of top', () => {
  it('shows the version, uptime, readiness, daemon and totals above the mailboxes', () => {
    expect(screen(120, 30)).toEqual([
      'spread-sidecar 1.2.3 at 127.0.0.1:4814, up 1d 02:03:04, ready',
      'daemon: 4803@localhost (Spread 5.0.1)',
      '2 mailboxes, 12.3 events/s in, 0 messages/s out, 3 events queued (42 bytes)',
      'rows 1 to 2 of 9, sorted by IN/S, descending; h: help',
      '',
      expect.stringMatching(
        /^ID {2}PRIVATE GROUP +STATE +QUEUE +BYTES +IN\/S +OUT\/S +GROUPS +RECEIVER +CLIENT *$/,
      ),
      expect.stringMatching(/^m1 {2}#a#host +OPEN +3\/1000 +42 +1\.3 +0 +2 {2}yes +token:a+…$/),
      expect.stringMatching(/^m2 /),
    ]);
  });

  it('explains why the sidecar is not ready, and since when the daemon is down', () => {
    const status = {
      ...STATUS,
      ready: false,
      checks: [
        { name: 'grpc', ok: true },
        { name: 'daemon', ok: false, message: 'no connection' },
      ],
      daemon: { up: false, history: [{ at: '2026-01-01T00:00:01.000Z', up: false, message: 'refused' }] },
    };
    const [ready, daemon] = screen(200, 30, START, undefined, sample(status));
    expect(ready).toMatch(/not ready: serving; daemon: no connection$/);
    expect(daemon).toBe('daemon: not connected since 2026-01-01T00:00:01.000Z: refused');
  });

  it.each([
    [1, 1],
    [20, 5],
    [40, 10],
    [79, 24],
    [120, 50],
    [300, 100],
  ])('fits %i columns and %i rows', (columns, rows) => {
    const status = { ...STATUS, version: 'v'.repeat(400), ready: false, checks: [] };
    for (const state of [START, { ...START, isHelp: true }, { ...START, prompt: '日'.repeat(256) }])
      for (const problem of [undefined, 'p'.repeat(500)]) {
        const lines = screen(columns, rows, state, problem, sample(status));
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }
  });

  it('shows fewer columns on a narrow terminal', () => {
    const titles = (columns: number) => columnsFor(columns).map(({ title }) => title);
    expect(titles(30)).toEqual(['PRIVATE GROUP', 'IN/S', 'OUT/S']);
    expect(titles(80)).not.toContain('CLIENT');
    expect(titles(100)).toContain('CLIENT');
  });

  it('escapes control characters of every text', () => {
    const status = {
      ...STATUS,
      version: HOSTILE,
      ready: false,
      checks: [{ name: HOSTILE, ok: false, message: HOSTILE }],
      daemon: { up: false, history: [{ at: HOSTILE, up: false, message: HOSTILE }] },
      totals: { waitingEvents: HOSTILE, waitingBytes: HOSTILE },
    };
    const up = { ...STATUS, daemon: { up: true, address: HOSTILE, version: HOSTILE } };
    const rows = [mailbox(HOSTILE, HOSTILE)];
    const states = [START, { ...START, filter: HOSTILE }, { ...START, prompt: HOSTILE }];
    const lines = states.flatMap((state) =>
      [status, up].flatMap((one) => [
        ...screen(400, 50, state, undefined, sample(one, rows)),
        ...screen(400, 50, state, HOSTILE, sample(one, rows)),
        ...plainLines(sample(one, rows), '127.0.0.1:4814'),
      ]),
    );
    for (const line of lines) expect(line).not.toMatch(/\p{Cc}|\u202e/u);
  });

  it('names the filter, the pause and a problem', () => {
    const state = { ...START, filter: 'billing', isPaused: true };
    expect(screen(120, 30, state)[3]).toBe(
      'rows 1 to 2 of 9, sorted by IN/S, descending; filter: billing; PAUSED; h: help',
    );
    expect(screen(120, 30, { ...START, prompt: 'bil' })[3]).toBe('filter: bil_');
    expect(screen(120, 30, START, 'connection lost')[3]).toBe('connection lost');
  });

  it.each([
    [0, '00:00:00'],
    [59_999, '00:00:59'],
    [86_400_000, '1d 00:00:00'],
  ])('shows %i ms as %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('a key of top', () => {
  const press = (state: ViewState, keys: readonly Key[]) => {
    let effect = 'none';
    for (const key of keys) [state, effect] = applyKey(state, key, 10, 35);
    return [state, effect] as const;
  };
  const type = (text: string): Key[] => [...text].map((one) => ({ name: one.toLowerCase(), text: one }));

  it.each([
    ['i', 'displayId', false],
    ['n', 'privateGroup', false],
    ['c', 'client', false],
    ['e', 'queueEvents', true],
    ['b', 'queueBytes', true],
    ['r', 'receivedPerSecond', true],
    ['s', 'sentPerSecond', true],
  ])('%s sorts by %s', (key, order, isDescending) => {
    const [state, effect] = press({ ...START, offset: 7 }, type(key));
    expect(state).toMatchObject({ order, isDescending, offset: 0 });
    expect(effect).toBe('refresh');
    expect(press(state, type('R'))[0]).toMatchObject({ order, isDescending: !isDescending });
  });

  it('filters by the typed text', () => {
    const typed = press(START, [...type('/bqx'), { name: 'backspace' }]);
    expect(typed[0]).toMatchObject({ prompt: 'bq', filter: '', order: 'receivedPerSecond' });
    expect(press(typed[0], [{ name: 'return', text: '\r' }])).toEqual([
      { ...START, filter: 'bq' },
      'refresh',
    ]);
    expect(press({ ...typed[0], filter: 'old' }, [{ name: 'escape', text: '\x1b' }])[0]).toMatchObject({
      filter: 'old',
      prompt: undefined,
    });
    const long = press({ ...START, prompt: 'x'.repeat(256) }, type('y'));
    expect(long[0].prompt).toHaveLength(256);
  });

  it('scrolls within the rows', () => {
    const offsets = (...names: string[]) =>
      press(
        START,
        names.map((name) => ({ name })),
      )[0].offset;
    expect(offsets('up')).toBe(0);
    expect(offsets('down', 'down', 'up')).toBe(1);
    expect(offsets('pagedown', 'pagedown', 'pagedown', 'pagedown')).toBe(25);
    expect(offsets('end', 'pageup')).toBe(15);
    expect(offsets('end', 'home')).toBe(0);
  });

  it('pauses, shows help, and quits', () => {
    expect(press(START, type('p'))).toEqual([{ ...START, isPaused: true }, 'redraw']);
    expect(press(START, type('p '))).toEqual([START, 'refresh']);
    expect(press(START, type('h'))[0].isHelp).toBe(true);
    expect(press(START, type('?x'))[0]).toEqual(START);
    expect(press(START, type('q'))[1]).toBe('quit');
    expect(press(START, type('hq'))[1]).toBe('quit');
    for (const prompt of [undefined, 'text'])
      expect(press({ ...START, prompt }, [{ name: 'c', ctrl: true, text: '\x03' }])[1]).toBe('interrupt');
    expect(press(START, [{ name: 'x', text: 'x' }])).toEqual([START, 'none']);
    expect(press(START, [{ text: 'constructor' }])).toEqual([START, 'none']);
  });
});

describe('the rates of all mailboxes', () => {
  const at = (seconds: number, receivedEvents: number, startedAt = 'a') => ({
    startedAt,
    uptimeMs: seconds * 1000,
    totals: { receivedEvents, sentMessages: 2 * receivedEvents },
  });

  it('are averages of at most 10 s', () => {
    const rates = new TotalRates();
    expect(rates.of(at(100, 1000))).toEqual({ receivedPerSecond: 10, sentPerSecond: 20 });
    expect(rates.of(at(105, 1010))).toEqual({ receivedPerSecond: 2, sentPerSecond: 4 });
    expect(rates.of(at(112, 1080)).receivedPerSecond).toBe(10);
    expect(rates.of(at(212, 1180)).receivedPerSecond).toBe(1);
  });

  it('begin again after a restart of the sidecar', () => {
    const rates = new TotalRates();
    rates.of(at(10, 1000));
    expect(rates.of(at(15, 150, 'b')).receivedPerSecond).toBe(10);
  });
});

/** A fake admin port. @param respond - the fields of a page; undefined: the connection breaks */
async function adminPort(respond: (path: string) => object | undefined) {
  const requests: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const fields = respond(path);
    if (fields === undefined) request.socket.destroy();
    else response.end(JSON.stringify({ schema: 1, ...fields }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { admin: `127.0.0.1:${(server.address() as { port: number }).port}`, requests };
}

const pages = (path: string) => (path.startsWith('/status.json') ? STATUS : sample().page);
const RESTORED = '\x1b[?7h\x1b[?25h\x1b[?1049l';

describe('top', () => {
  it('prints plain lines without a terminal, and ends after --count', async () => {
    const { admin, requests } = await adminPort(pages);
    const run = startCli([
      'top',
      '--admin',
      admin,
      '-i',
      '100ms',
      '-c',
      '2',
      '--filter',
      'a&b',
      '--limit',
      '7',
    ]);
    expect(await run.exitCode).toBe(0);
    expect(run.stdout).not.toContain('\x1b');
    expect(run.stdout.match(/^spread-sidecar 1\.2\.3 at /gm)).toHaveLength(2);
    expect(run.stdout.match(/token:a{64}$/gm)).toHaveLength(4);
    expect(requests[1]).toBe('/mailboxes.json?sort=-receivedPerSecond&filter=a%26b&offset=0&limit=7');
  });

  it('prints one JSON object per interval, also on a terminal', async () => {
    const { admin } = await adminPort(pages);
    const run = startCli(['top', '--admin', admin, '--json', '-c', '2', '-i', '100ms'], { terminal: true });
    expect(await run.exitCode).toBe(0);
    const objects = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects).toHaveLength(2);
    expect(objects[0]).toMatchObject({
      schema: 1,
      total: 9,
      status: { version: '1.2.3', totals: { waitingEvents: 3, receivedPerSecond: expect.any(Number) } },
    });
    expect(run.stdout.trimEnd().replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u202e/u);
  });

  it.each(['SIGINT', 'SIGTERM', 'output closed'] as const)(
    'restores the terminal after %s, with exit code 0',
    async (by) => {
      const { admin } = await adminPort(pages);
      const run = startCli(['top', '--admin', admin], { terminal: true });
      await until(() => run.stdout.includes('PRIVATE GROUP'));
      run.stop(new Interruption(by, 130));
      expect(await run.exitCode).toBe(0);
      expect(run.stdout.endsWith(RESTORED)).toBe(true);
    },
  );

  it('reacts to keys', async () => {
    const { admin, requests } = await adminPort(pages);
    const run = startCli(['top', '--admin', admin, '--interval', '1h'], { terminal: true });
    await until(() => run.stdout.includes('h: help'));
    run.stdin.write('n');
    await until(() => requests.at(-1)?.includes('sort=privateGroup&'));
    run.stdin.write('/bill\r');
    await until(() => requests.at(-1)?.includes('filter=bill&'));
    run.stdin.write('p');
    await until(() => run.stdout.includes('PAUSED'));
    run.stdin.write('q');
    expect(await run.exitCode).toBe(0);
    expect(run.stdout.endsWith(RESTORED)).toBe(true);
  });

  it('shows a lost connection, and continues after it is back', async () => {
    let isAway = false;
    const { admin } = await adminPort((path) => (isAway ? undefined : pages(path)));
    const run = startCli(['top', '--admin', admin, '--interval', '100ms'], { terminal: true });
    await until(() => run.stdout.includes('h: help'));
    isAway = true;
    await until(() => run.stdout.includes('connection to the sidecar lost, retrying'));
    isAway = false;
    const before = run.stdout.length;
    await until(() => run.stdout.slice(before).includes('h: help'));
  });

  it('leaves the terminal unchanged when the first request fails', async () => {
    const { admin } = await adminPort(() => undefined);
    const run = startCli(['top', '--admin', admin], { terminal: true });
    expect(await run.exitCode).toBe(3);
    expect(run.stdout).toBe('');
    expect(stripVTControlCharacters(run.stderr)).toMatch(/^error: the admin port \S+ cannot be reached/);
  });

  it('restores the terminal before the error of a later request', async () => {
    let requests = 0;
    const { admin } = await adminPort((path) => (++requests > 2 ? { checks: 'x' } : pages(path)));
    const run = startCli(['top', '--admin', admin, '--interval', '100ms'], { terminal: true });
    expect(await run.exitCode).toBe(4);
    expect(run.stdout.endsWith(RESTORED)).toBe(true);
    expect(run.stderr).toContain('has format 1 without "checks"');
  });

  it('rejects an unknown order', async () => {
    const run = startCli(['top', '--sort', 'size']);
    expect(await run.exitCode).toBe(2);
    expect(run.stderr).toContain('It must be one of displayId, -displayId');
  });
});
