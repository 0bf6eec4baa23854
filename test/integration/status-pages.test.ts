import { request as httpRequest } from 'node:http';
import { AGREED_MESS } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { schemaMistakes } from '../support/docs/status-page.js';
import { failure, type SecuredSidecar, startSecured } from '../support/sidecars/secured-sidecar.js';
import { until, within } from '../support/until.js';

const ALICE = 'alice-0123456789abcdef';
const ADMIN = 'admin-0123456789abcdef';
const WRONG = 'wrong-0123456789abcdef';
const PAYLOAD = 'payload-0123456789abcdef';

const SECTIONS = {
  '/status.json': 'Status',
  '/mailboxes.json': 'Mailboxes',
  '/groups.json': 'Groups',
  '/events.json': 'Events',
  '/config.json': 'Configuration',
} as const;
const PATHS = Object.keys(SECTIONS) as (keyof typeof SECTIONS)[];

type Fields = Readonly<Record<string, unknown>>;
interface Page extends Fields {
  readonly total: number;
  readonly nextOffset: number | null;
  readonly lastSequence: number;
  readonly mailboxes: readonly Fields[];
  readonly groups: readonly Fields[];
  readonly events: readonly Fields[];
  readonly options: readonly Fields[];
  readonly error?: Fields;
}

async function read(sidecar: SecuredSidecar, path: string, token?: string) {
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  const response = await fetch(`http://${sidecar.admin}${path}`, { headers });
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  return { status: response.status, text, page: (isJson ? JSON.parse(text) : {}) as Page };
}

/** A sidecar with tokens, two mailboxes in groups, an ended mailbox, and a rejected credential. */
async function busySidecar() {
  const sidecar = await startSecured({
    GRPC_TOKENS: ALICE,
    ADMIN_TOKEN: ADMIN,
    MAILBOX_LEASE_DEFAULT: '25s',
  });
  const client = sidecar.client({ token: ALICE });
  const first = await client.connect({ privateName: 'first' });
  const second = await client.connect({ privateName: 'second' });
  const ended = await client.connect({ privateName: 'ended' });
  const ids = [first.id, second.id, ended.id];
  for (const mailbox of [first, second]) await mailbox.join('orders', { awaitView: true });
  await second.join('alerts', { awaitView: true });
  await first.multicast(AGREED_MESS, 'orders', PAYLOAD);
  for (;;) {
    const event = await within(second.receive(), 'the message');
    if (event.kind === 'regular') break;
  }
  await ended.disconnect();
  await failure(sidecar.client({ token: WRONG }).connect());
  return { sidecar, ids };
}

describe('the JSON pages', () => {
  it('have exactly the documented fields, and no secret', async () => {
    const { sidecar, ids } = await busySidecar();
    await failure(sidecar.client({ token: ADMIN }).connect());
    await until(async () => (await read(sidecar, '/mailboxes.json', ADMIN)).page.total === 2, {
      what: 'the ended mailbox has left',
    });
    for (const path of PATHS) {
      const { status, text, page } = await read(sidecar, path, ADMIN);
      expect([path, status, page.schema]).toEqual([path, 200, 1]);
      expect(schemaMistakes(SECTIONS[path], page)).toEqual([]);
      for (const secret of [ALICE, ADMIN, WRONG, PAYLOAD, ...ids]) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/\b[0-9a-f]{32}\b/);
    }
  });

  it('show the state of the sidecar and its daemon', async () => {
    const { sidecar } = await busySidecar();
    const { page } = await read(sidecar, '/status.json', ADMIN);
    expect(page).toMatchObject({
      version: '0.0.0-test',
      stage: 'serving',
      ready: true,
      checks: [
        { name: 'grpc', ok: true },
        { name: 'daemon', ok: true },
        { name: 'sockets', ok: true },
      ],
      daemon: { up: true, version: '5.0.1', history: [{ up: true, version: '5.0.1' }] },
    });
    expect(page.uptimeMs).toBeGreaterThan(0);
  });

  it('count the events of all mailboxes, including mailboxes that have left', async () => {
    const { sidecar } = await busySidecar();
    const totals = async () => (await read(sidecar, '/status.json', ADMIN)).page.totals as Fields;
    // Four views and two copies of the message. Only the second mailbox has a receiver.
    await until(async () => (await totals()).receivedEvents === 6, { what: 'all events were received' });
    expect(await totals()).toMatchObject({ sentMessages: 1, waitingEvents: 3 });
    const leaving = sidecar.client({ token: ALICE });
    const mailbox = await leaving.connect();
    await mailbox.multicast(AGREED_MESS, 'orders', PAYLOAD);
    await leaving.close();
    await until(async () => (await totals()).receivedEvents === 8, { what: 'the message was received' });
    expect(await totals()).toMatchObject({ sentMessages: 2, waitingEvents: 4 });
  });

  it('show mailboxes, sorted, filtered and in pages', async () => {
    const { sidecar } = await busySidecar();
    const mailboxes = async (query: string) => (await read(sidecar, `/mailboxes.json?${query}`, ADMIN)).page;
    const names = (page: Page) =>
      page.mailboxes.map(({ privateGroup }) => String(privateGroup).split('#')[1]);
    await until(async () => (await mailboxes('')).total === 2, { what: 'the ended mailbox has left' });
    const all = await mailboxes('sort=-privateGroup');
    expect(names(all)).toEqual(['second', 'first']);
    expect(all.mailboxes[0]).toMatchObject({
      client: expect.stringMatching(/^token:[0-9a-f]{64}$/),
      state: 'OPEN',
      receiverAttached: true,
      groupCount: 2,
      groups: ['orders', 'alerts'],
      lease: { durationMs: 25_000, endsAt: null },
    });
    expect(all.mailboxes[1]).toMatchObject({ receiverAttached: false, sent: { messages: 1 } });
    expect((all.mailboxes[1]!.queue as Fields).waitingEvents).toBeGreaterThan(0);
    expect((all.mailboxes[1]!.received as Fields).perSecond).toBeGreaterThan(0);

    const page = await mailboxes('limit=1&sort=privateGroup');
    expect([names(page), page.total, page.nextOffset]).toEqual([['first'], 2, 1]);
    const last = await mailboxes('limit=1&sort=privateGroup&offset=1');
    expect([names(last), last.nextOffset]).toEqual([['second'], null]);
    expect(names(await mailboxes('filter=%23sec'))).toEqual(['second']);
    expect((await mailboxes('filter=token:')).total).toBe(2);
  });

  it('show groups with their members and last change', async () => {
    const { sidecar } = await busySidecar();
    const { page } = await read(sidecar, '/groups.json?sort=-members', ADMIN);
    expect(page.groups.map(({ group }) => group)).toEqual(['orders', 'alerts']);
    const [orders] = page.groups;
    expect(orders).toMatchObject({ mailboxes: 2, memberCount: 2 });
    expect(orders!.members).toEqual(
      expect.arrayContaining([expect.stringMatching(/^#first#/), expect.stringMatching(/^#second#/)]),
    );
    expect(orders!.lastChange).toMatchObject({
      cause: 'JOIN',
      changedCount: 1,
      changed: [expect.stringMatching(/^#second#/)],
    });
    expect((await read(sidecar, '/groups.json?filter=alert', ADMIN)).page.total).toBe(1);
  });

  it('show events to a follower', async () => {
    const { sidecar } = await busySidecar();
    const { page } = await read(sidecar, '/events.json', ADMIN);
    expect(page.events.map(({ sequence }) => sequence)).toEqual(page.events.map((_, at) => at + 1));
    const kinds = page.events.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'mailbox-connected')).toHaveLength(3);
    expect(page.events).toContainEqual(
      expect.objectContaining({ kind: 'mailbox-ended', mailbox: 'm3', reason: 'DISCONNECTED' }),
    );
    expect(page.events).toContainEqual(
      expect.objectContaining({ kind: 'credential-rejected', reason: 'CREDENTIAL_INVALID' }),
    );
    const after = page.lastSequence;
    expect((await read(sidecar, `/events.json?after=${after}`, ADMIN)).page.events).toEqual([]);
    await sidecar.client({ token: ALICE }).connect();
    const later = (await read(sidecar, `/events.json?after=${after}`, ADMIN)).page;
    expect(later.events).toEqual([
      expect.objectContaining({ sequence: after + 1, kind: 'mailbox-connected' }),
    ]);
  });

  it('show the configuration with the source of each value', async () => {
    const { sidecar } = await busySidecar();
    const { options } = (await read(sidecar, '/config.json', ADMIN)).page;
    const of = (key: string) => options.find((option) => option.key === key);
    expect(of('admin.token')).toMatchObject({ value: '[redacted]', source: 'environment' });
    expect(of('grpc.tokens')).toMatchObject({ value: '[redacted]', source: 'environment' });
    expect(of('mailbox.leaseDefault')).toMatchObject({
      value: '25s',
      from: 'environment SPREAD_SIDECAR_MAILBOX_LEASE_DEFAULT',
    });
    expect(of('mailbox.maxMailboxes')).toMatchObject({
      value: 'auto',
      source: 'default',
      effective: expect.any(Number),
    });
  });

  it.each([
    ['/mailboxes.json?limit=1001', 'limit'],
    ['/groups.json?sort=size', 'sort'],
    ['/events.json?after=-1', 'after'],
    ['/status.json?limit=1', 'limit'],
    ['/config.json?x=1', 'x'],
  ])('%s is rejected with 400', async (path, parameter) => {
    const sidecar = await startSecured({});
    const { status, page } = await read(sidecar, path);
    expect([status, page.error]).toEqual([400, { parameter, message: expect.stringContaining('allowed') }]);
  });
});

describe('access to the JSON pages', () => {
  it('requires the admin token if one is set, and records rejections', async () => {
    const sidecar = await startSecured({ GRPC_TOKENS: ALICE, ADMIN_TOKEN: ADMIN });
    for (const path of PATHS)
      for (const token of [undefined, WRONG, ALICE])
        expect((await read(sidecar, path, token)).status).toBe(401);
    const { page } = await read(sidecar, '/events.json', ADMIN);
    expect(page.events).toContainEqual(
      expect.objectContaining({ kind: 'credential-rejected', reason: 'ADMIN_ONLY' }),
    );
  });

  it('needs a direct request from this machine if no admin token is set', async () => {
    const sidecar = await startSecured({});
    const [host, port] = sidecar.admin.split(':');
    const ask = (path: string, localAddress: string, headers: Record<string, string> = {}) =>
      new Promise<number | undefined>((resolve, reject) => {
        httpRequest({ host, port, path, localAddress, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    for (const path of PATHS) {
      expect(await ask(path, '127.0.0.1')).toBe(200);
      expect(await ask(path, '127.0.0.6')).toBe(403);
      expect(await ask(path, '127.0.0.1', { 'x-forwarded-for': '10.0.0.7' })).toBe(403);
    }
    const { page } = await read(sidecar, '/events.json');
    expect(page.events).toContainEqual(
      expect.objectContaining({ kind: 'credential-rejected', page: '/config.json' }),
    );
  });
});
