import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Fields, readPage } from '../../../server/src/cli/admin/admin-client.js';
import { type FollowTimes, followEvents } from '../../../server/src/cli/admin/follow-events.js';
import { createContext } from '../../../server/src/cli/context.js';
import { Interruption } from '../../../server/src/cli/terminal/interruption.js';
import { cli, startCli } from '../../support/sidecars/cli.js';
import { put } from '../../support/sidecars/secured-sidecar.js';
import { freePort } from '../../support/sidecars/serve-process.js';
import { temporaryFolder } from '../../support/tmp.js';
import { until, within } from '../../support/until.js';

const TOKEN = 'admin-0123456789abcdef';
const HOSTILE = '#\x1b]0;owned\x07\u009b2J\n#host';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

/** A fake admin port. */
async function adminServer(handler: Handler) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  const port = await listen(server);
  return { admin: `127.0.0.1:${port}`, port, requests, server };
}

const serve = (page: object) =>
  adminServer((_request, response) => void response.end(JSON.stringify({ schema: 1, ...page })));

const MAILBOX = {
  displayId: 'm1',
  privateGroup: '#first#localhost',
  client: `token:${'a'.repeat(64)}`,
  state: 'OPEN',
  receiverAttached: true,
  groupCount: 2,
  queue: { events: 3, maxEvents: 1000, bytes: 42 },
  received: { perSecond: 1.5 },
  sent: { perSecond: 0 },
};

describe('mailboxes', () => {
  it('prints a table', async () => {
    const { admin } = await serve({ mailboxes: [MAILBOX], total: 1, nextOffset: null });
    const { exitCode, stdout, stderr } = await cli(['mailboxes', '--admin', admin]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      [
        ...['ID', 'PRIVATE GROUP', 'STATE', 'QUEUE', 'BYTES', 'IN/S', 'OUT/S', 'GROUPS', 'RECEIVER'],
        'CLIENT',
      ],
      ['m1', '#first#localhost', 'OPEN', '3/1000', '42', '1.5', '0', '2', 'yes', MAILBOX.client],
      [''],
    ]);
  });

  it('fits the terminal', async () => {
    const { admin } = await serve({ mailboxes: [MAILBOX], total: 1, nextOffset: null });
    const { stdout } = await cli(['mailboxes', '--admin', admin], { terminal: true });
    const lines = stdout.trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    expect(lines[1]).toMatch(/token:a+…$/);
  });

  it('sends the order, filter and limit, and reports further rows', async () => {
    const { admin, requests } = await serve({ mailboxes: [MAILBOX], total: 9, nextOffset: 3 });
    const { stderr } = await cli([
      ...['mailboxes', '--admin', `http://${admin}/`, '--sort=-queueBytes', '--filter', 'a&b=#'],
      ...['--limit', '1', '--offset', '2'],
    ]);
    expect(requests.map(({ url }) => url)).toEqual([
      '/mailboxes.json?sort=-queueBytes&filter=a%26b%3D%23&limit=1&offset=2',
    ]);
    expect(stderr).toBe('1 of 9 rows; --offset 3 shows the next rows, --limit sets the number of rows\n');
  });

  it.each([[[]], [['--json']]])(
    'does not send escape sequences of names to the terminal: %j',
    async (more) => {
      const mailbox = { ...MAILBOX, privateGroup: HOSTILE, client: HOSTILE, state: HOSTILE };
      const { admin } = await serve({ mailboxes: [mailbox], total: HOSTILE, nextOffset: 1 });
      const { exitCode, stdout, stderr } = await cli(['mailboxes', '--admin', admin, ...more]);
      expect(exitCode).toBe(0);
      const text = (stdout + stderr).replaceAll('\n', '');
      expect(text).toContain('owned');
      expect(text).not.toMatch(/\p{Cc}/u);
      if (more.length > 0) expect(JSON.parse(stdout).mailboxes).toEqual([mailbox]);
    },
  );

  it('prints - for fields that another release omits', async () => {
    const { admin } = await serve({ mailboxes: [{ displayId: 'm1' }] });
    const { exitCode, stdout } = await cli(['mailboxes', '--admin', admin]);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')[1]).toMatch(/^m1 +- +- +-\/- /);
  });
});

describe('groups', () => {
  it('prints a table, with - before the first view', async () => {
    const changed = { at: '2026-01-31T12:00:00.000Z', cause: 'JOIN', changed: ['#a#h', '#b#h'] };
    const { admin, requests } = await serve({
      groups: [
        { group: 'orders', daemon: '4803', mailboxes: 2, memberCount: 3, lastChange: changed },
        { group: 'alerts', daemon: '4803', mailboxes: 1, memberCount: null, lastChange: null },
      ],
      total: 2,
      complete: false,
      nextOffset: null,
    });
    const { exitCode, stdout, stderr } = await cli(['groups', '--admin', admin, '--sort', 'members']);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['GROUP', 'MEMBERS', 'MAILBOXES', 'LAST CHANGE', 'CAUSE', 'CHANGED', 'DAEMON'],
      ['orders', '3', '2', changed.at, 'JOIN', '#a#h, #b#h', '4803'],
      ['alerts', '-', '1', '-', '-', '-', '4803'],
      [''],
    ]);
    expect(stderr).toBe('the sidecar has more rows than it can report\n');
    expect(requests[0]!.url).toBe('/groups.json?sort=members');
  });
});

describe('config', () => {
  it('prints a table', async () => {
    const { admin } = await serve({
      options: [
        { key: 'grpc.listen', value: ['127.0.0.1:1', '[::1]:1'], source: 'flag', from: 'flag --grpc-listen' },
        { key: 'mailbox.maxMailboxes', value: 'auto', source: 'default', effective: 99 },
      ],
    });
    const { exitCode, stdout } = await cli(['config', '--admin', admin]);
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['OPTION', 'VALUE', 'SOURCE'],
      ['grpc.listen', '127.0.0.1:1, [::1]:1', 'flag --grpc-listen'],
      ['mailbox.maxMailboxes', 'auto (99)', 'default'],
      [''],
    ]);
  });
});

const event = (sequence: number, more: Fields = {}) => ({
  sequence,
  at: '2026-01-31T12:00:00.000Z',
  kind: 'mailbox-ended',
  mailbox: `m${sequence}`,
  ...more,
});

describe('events', () => {
  const events = [event(1), event(2, { reason: HOSTILE })];

  it('prints one line per event', async () => {
    const { admin } = await serve({ startedAt: 'a', lastSequence: 2, events });
    const { exitCode, stdout } = await cli(['events', '--admin', admin]);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^TIME {22}KIND {18}DETAILS$/);
    expect(lines[1]).toBe('2026-01-31T12:00:00.000Z  mailbox-ended         mailbox=m1');
    expect(lines[2]).toContain('reason=#\\x1b]0;owned\\x07\\x9b2J\\x0a#host');
    expect(lines).toHaveLength(3);
  });

  it('prints one JSON object per line', async () => {
    const { admin } = await serve({ startedAt: 'a', lastSequence: 2, events });
    const { stdout } = await cli(['events', '--admin', admin, '--json']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  });
});

/** Follows the events of a fake admin port, without long delays. */
function follow(port: number, times: FollowTimes) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const written = { stdout: '', stderr: '' };
  stdout.on('data', (chunk) => {
    written.stdout += chunk;
  });
  stderr.on('data', (chunk) => {
    written.stderr += chunk;
  });
  const controller = new AbortController();
  const context = createContext({ stdin, stdout, stderr, env: {}, signal: controller.signal });
  const { signal } = context;
  const admin = { host: '127.0.0.1', port, token: undefined, timeoutMs: 5000, signal };
  const read = (after?: number) => readPage(admin, '/events.json', 'events', { after });
  const result = followEvents(context, read, false, times);
  result.catch(() => {});
  const stop = () => controller.abort(new Interruption('SIGINT', 130));
  onTestFinished(async () => {
    stop();
    await result.catch(() => {});
    await context.close();
  });
  return { written, result, stop };
}

describe('events --follow', () => {
  /** A fake sidecar with events. */
  async function sidecar() {
    const state = { startedAt: 'first', events: [event(1)], isBusy: false, lost: 0 };
    const served = await adminServer((request, response) => {
      if (state.isBusy) {
        response.statusCode = 503;
        response.end('busy\n');
        return;
      }
      const after = Number(new URL(request.url!, 'http://x').searchParams.get('after') ?? 0);
      const { startedAt } = state;
      const events = state.events.filter(({ sequence }) => sequence > after);
      const lastSequence = state.events.at(-1)?.sequence ?? 0;
      response.end(JSON.stringify({ schema: 1, startedAt, lastSequence, events }));
    });
    return { state, ...served };
  }

  const seen = (text: string) => [...text.matchAll(/mailbox=(\w+)/g)].map(([, name]) => name);

  it('prints each event once, and reports lost events and a restart', async () => {
    const { port, state, requests } = await sidecar();
    const { written, result, stop } = follow(port, { pollMs: 1, retryMs: 10_000 });
    await until(() => seen(written.stdout).length === 1);
    state.events = [event(1), event(2)];
    await until(() => seen(written.stdout).length === 2);
    const polls = requests.length;
    await until(() => requests.length > polls + 3);
    expect(requests.at(-1)!.url).toBe('/events.json?after=2');
    state.events = [event(1), event(2), event(5)];
    await until(() => seen(written.stdout).length === 3);
    expect(written.stderr).toBe('2 events lost: the sidecar retains only the last 200\n');
    state.events = [event(1, { mailbox: 'new1' }), event(2, { mailbox: 'new2' })];
    state.startedAt = 'second\x1b[2J';
    await until(() => seen(written.stdout).length === 5);
    expect(seen(written.stdout)).toEqual(['m1', 'm2', 'm5', 'new1', 'new2']);
    expect(written.stderr).toContain('the sidecar restarted at second\\x1b[2J\n');
    expect(written.stdout.match(/TIME/g)).toHaveLength(1);
    stop();
    expect(await within(result, 'the command ends')).toBe(0);
  });

  it('reports a lost connection once, and continues when the port responds', async () => {
    const { port, state } = await sidecar();
    const { written } = follow(port, { pollMs: 1, retryMs: 10_000 });
    await until(() => seen(written.stdout).length === 1);
    state.isBusy = true;
    await until(() => written.stderr !== '');
    expect(written.stderr).toMatch(/^connection to the sidecar lost: .*503.*; retrying for up to 10 s\n$/);
    state.events = [event(1), event(2)];
    state.isBusy = false;
    await until(() => seen(written.stdout).length === 2);
    expect(written.stderr.split('\n').slice(1)).toEqual(['reconnected to the sidecar', '']);
  });

  it('fails with exit code 5 when the connection stays lost', async () => {
    const { port, server } = await sidecar();
    const { written, result } = follow(port, { pollMs: 1, retryMs: 20 });
    await until(() => seen(written.stdout).length === 1);
    server.close();
    await expect(within(result, 'the command ends')).rejects.toMatchObject({
      exitCode: 5,
      message: expect.stringMatching(/could not reconnect to the sidecar: .*ECONN(REFUSED|RESET)/),
    });
    expect(written.stderr).toMatch(/^connection to the sidecar lost: .*ECONN(REFUSED|RESET).*\n$/);
  });

  it('ends with 0 at a requested stop', async () => {
    const { admin } = await sidecar();
    const command = startCli(['events', '--follow', '--admin', admin]);
    await until(() => seen(command.stdout).length === 1);
    command.stop(new Interruption('SIGTERM', 143));
    expect(await within(command.exitCode, 'the command ends')).toBe(0);
    expect(command.stderr).toBe('');
  });
});

describe.each([['mailboxes'], ['groups'], ['events'], ['events', '--follow'], ['config']])(
  '%s %s',
  (...words) => {
    const command = words.filter((word) => word !== undefined);
    const fails = async (admin: string, ...more: string[]) => {
      const { exitCode, stdout, stderr } = await cli([...command, '--admin', admin, ...more]);
      expect(stdout).toBe('');
      return [exitCode, stderr];
    };
    const answer = (status: number, text: string) =>
      adminServer((_request, response) => {
        response.statusCode = status;
        response.end(text);
      });

    it.each<[number, string, number, RegExp]>([
      [400, '{"error":{"message":"sort is \\"x\\"; allowed are y"}}', 4, /rejected.*allowed are y/],
      [401, 'no', 4, /requires the admin token: set the file of the token with --admin-token-file/],
      [
        403,
        'only from \x1b[2Jthis machine\n',
        4,
        /\(403\): only from \\x1b\[2Jthis machine; run the command on/,
      ],
      [404, 'not found', 4, /is not the admin port of a sidecar: .*status 404/],
      [302, '', 4, /is not the admin port of a sidecar: .*status 302/],
      [500, 'no', 1, /could not create \/\w+\.json \(500\); the log/],
      [503, 'busy', 4, /is busy \(503\): busy; run the command again/],
      [200, '<html>', 4, /is not the admin port of a sidecar: .*not a JSON page/],
      [200, '[]', 4, /not a JSON page/],
      [200, '{"schema":2}', 4, /has format 2; this release reads format 1/],
      [200, '{"schema":1}', 4, /has format 1 without/],
    ])('explains the response %i %j', async (status, text, code, message) => {
      const { admin } = await answer(status, text);
      expect(await fails(admin)).toEqual([code, expect.stringMatching(message)]);
    });

    it('explains a port that is closed, silent or not HTTP', async () => {
      const port = await freePort();
      expect(await fails(`127.0.0.1:${port}`)).toEqual([
        3,
        expect.stringMatching(/cannot be reached: .*ECONNREFUSED/),
      ]);
      const other = await listen(
        createTcpServer((socket) => void socket.on('error', () => {}).end('SSH-2.0\r\n')),
      );
      expect(await fails(`127.0.0.1:${other}`)).toEqual([4, expect.stringContaining('is not HTTP/1.1')]);
      const silent = await adminServer(() => {});
      onTestFinished(() => silent.server.closeAllConnections());
      expect(await fails(silent.admin, '--timeout', '50ms')).toEqual([
        6,
        expect.stringContaining('did not respond within 50 ms'),
      ]);
    });
  },
);

describe('the admin token', () => {
  const pages = () => serve({ mailboxes: [], nextOffset: null });
  const sent = ({ requests }: Awaited<ReturnType<typeof pages>>) =>
    requests.map(({ headers }) => headers.authorization);

  it('comes from the file of --admin-token-file', async () => {
    const server = await pages();
    const file = put(join(temporaryFolder(), 'token'), `${TOKEN}\n`);
    await cli(['mailboxes', '--admin', server.admin, '--admin-token-file', file]);
    expect(sent(server)).toEqual([`Bearer ${TOKEN}`]);
  });

  it('comes from the configuration in the environment, only for that admin port', async () => {
    const server = await pages();
    const env = { SPREAD_SIDECAR_ADMIN_LISTEN: server.admin, SPREAD_SIDECAR_ADMIN_TOKEN: TOKEN };
    await cli(['mailboxes'], { env });
    await cli(['mailboxes', '--admin', server.admin], { env });
    const { SPREAD_SIDECAR_ADMIN_TOKEN } = env;
    await cli(['mailboxes', '--admin', server.admin], { env: { SPREAD_SIDECAR_ADMIN_TOKEN } });
    expect(sent(server)).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`, undefined]);
  });

  it('is not sent to another machine without --insecure, and does not appear in errors', async () => {
    const file = put(join(temporaryFolder(), 'token'), `${TOKEN}\n`);
    const { exitCode, stderr } = await cli(['config', '--admin', '192.0.2.1', '--admin-token-file', file]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('192.0.2.1:4814 without TLS');
    expect(stderr).not.toContain(TOKEN);
  });

  it.each([
    ['off', /admin\.listen is off/],
    ['127.0.0.1:0', /admin\.listen has port 0/],
  ])('admin.listen %s needs --admin', async (listen, message) => {
    const { exitCode, stderr } = await cli(['mailboxes'], { env: { SPREAD_SIDECAR_ADMIN_LISTEN: listen } });
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
