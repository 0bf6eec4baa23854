import { AGREED_MESS } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { sidecarAt } from '../support/clients/client.js';
import { startCommand } from '../support/sidecars/command-process.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

/** `receive` as the application, and another member of its group. */
async function startApplication(options: SidecarFixtureOptions = {}) {
  const sidecar = await startSidecar(options);
  const member = await sidecarAt(sidecar.target).connect({ privateName: 'member', leaseMs: 30_000 });
  await member.join('g', { awaitView: true });
  const app = startCommand('receive', 'g', '--follow', '--raw', '-u', 'app', '-t', sidecar.target);
  await until(() => app.written.stderr.includes('receiving as'), { timeoutMs: 15_000 });
  const left = async () => {
    for (;;) {
      const event = await member.receive({ timeoutMs: 15_000 });
      if (event.kind === 'view' && event.cause !== 'JOIN') return event;
    }
  };
  return { ...sidecar, member, app, left };
}

const lease = { defaultMs: 400, minMs: 100, maxMs: 3_600_000 };

describe('an application that is killed', () => {
  it('leaves its groups when the lease of its mailbox expires', async () => {
    const { app, left, registry } = await startApplication({ mailbox: { lease } });
    app.child.kill('SIGKILL');
    const killed = performance.now();
    expect(await left()).toMatchObject({ cause: 'DISCONNECT', members: ['#member#localhost'] });
    expect(performance.now() - killed).toBeGreaterThan(350);
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toHaveLength(1);
  });
});

describe('an application that is stopped', () => {
  it('misses nothing when it continues in time', async () => {
    const { app, member } = await startApplication({ mailbox: { lease } });
    app.child.kill('SIGSTOP');
    // More than the socket and the flow-control window hold.
    const text = 'x'.repeat(99_999);
    for (let i = 0; i < 100; i += 1) await member.multicast(AGREED_MESS, 'g', `${i % 10}${text}`);
    app.child.kill('SIGCONT');
    await until(() => app.written.stdout.length === 100 * 100_000, { timeoutMs: 15_000 });
    expect(app.written.stdout.replaceAll('x', '')).toBe('0123456789'.repeat(10));
  });

  it('counts as killed after the connection timeout, and detects this when it continues', async () => {
    const transport = { keepaliveTimeMs: 200, keepaliveTimeoutMs: 200 };
    const { app, left, server } = await startApplication({ mailbox: { lease }, transport });
    app.child.kill('SIGSTOP');
    expect(await left()).toMatchObject({ cause: 'DISCONNECT', members: ['#member#localhost'] });
    expect(server.connections).toBe(1);
    app.child.kill('SIGCONT');
    expect(await app.exited()).toBe(5);
    expect(app.written.stderr).toContain('LEASE_EXPIRED');
  });
});
