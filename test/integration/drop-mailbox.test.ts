import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpreadError } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { adminPage, startWhole, type WholeSidecar } from '../support/sidecars/whole-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

const TOKEN = '0123456789abcdef-admin';

function injecting(): Promise<WholeSidecar> {
  const file = join(temporaryFolder(), 'token');
  writeFileSync(file, `${TOKEN}\n`);
  return startWhole('--admin-failure-injection', '--admin-token-file', file);
}

const drop = (started: WholeSidecar, mailbox: string, headers = { authorization: `Bearer ${TOKEN}` }) =>
  adminPage(started, `/drop-mailbox?mailbox=${encodeURIComponent(mailbox)}`, { method: 'POST', headers });

describe('POST /drop-mailbox', () => {
  it('disconnects a mailbox as its daemon would, and other members see it', async () => {
    const started = await injecting();
    const cut = await started.sidecar.connect({ privateName: 'cut' });
    const other = await started.sidecar.connect({ privateName: 'other' });
    await other.join('g', { awaitView: true });
    await cut.join('g', { awaitView: true });
    const end = (async () => {
      for (;;) await cut.receive();
    })().catch((error: SpreadError) => error);
    expect(await drop(started, cut.privateGroup)).toEqual({ status: 204, body: '' });
    expect(await within(end, 'the end')).toMatchObject({
      statusName: 'UNAVAILABLE',
      reason: 'CONNECTION_CLOSED',
    });
    for (;;) {
      const event = await within(other.receive(), "the daemon's word");
      if (event.kind === 'view' && event.members.length === 1 && event.cause === 'DISCONNECT') break;
    }
    // The mailbox has ended. The sidecar knows it until its owner releases it.
    await until(async () => [404, 409].includes((await drop(started, cut.id))?.status ?? 0), {
      what: 'it is not disconnected again',
    });
  });

  it('makes a reconnecting mailbox report loss and restoration', async () => {
    const started = await injecting();
    const mailbox = await started.sidecar.connect({ privateName: 'back', reconnect: true });
    await mailbox.join('g', { awaitView: true });
    expect(await drop(started, mailbox.id)).toMatchObject({ status: 204 });
    const kinds: string[] = [];
    while (!kinds.includes('connectionRestored'))
      kinds.push((await within(mailbox.receive(), 'the events')).kind);
    expect(kinds).toContain('connectionLost');
  });

  it('requires the admin token and an existing mailbox', async () => {
    const started = await injecting();
    const mailbox = await started.sidecar.connect();
    expect(await drop(started, mailbox.id, { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    expect(await drop(started, '#nobody#localhost')).toMatchObject({ status: 404 });
    expect(await mailbox.poll()).toMatchObject({ state: 'OPEN' });
  });

  it('is disabled by default', async () => {
    const started = await startWhole();
    const mailbox = await started.sidecar.connect();
    expect(await drop(started, mailbox.id)).toMatchObject({
      status: 404,
      body: expect.stringContaining('try /, /metrics'),
    });
  });
});
