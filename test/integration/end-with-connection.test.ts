import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { AGREED_MESS, type Mailbox } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sidecarAt } from '../support/clients/client.js';
import { TestAuthority } from '../support/network/certificates.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { put, startSecured } from '../support/sidecars/secured-sidecar.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

/**
 * A program that joins `g` with a mailbox that ends with its connection, prints that, and prints the messages it
 * receives.
 */
const PROGRAM = `
  const { SpreadSidecar } = await import('spread-sidecar-client');
  const [receives] = process.argv.slice(1);
  const sidecar = new SpreadSidecar({ connectionKeepAliveMs: 60_000 });
  const mailbox = await sidecar.connect({ privateName: 'app', endWithConnection: true });
  await mailbox.join('g', { awaitView: true });
  console.log('joined');
  if (receives === 'yes')
    for await (const event of mailbox) if (event.kind === 'regular') console.log(event.text());
  else setInterval(() => {}, 1000);
`;

async function startMember(options: SidecarFixtureOptions = {}) {
  const sidecar = await startSidecar({ unix: true, ...options });
  const member = await sidecarAt(sidecar.target).connect({ privateName: 'member' });
  await member.join('g', { awaitView: true });
  return { ...sidecar, member };
}

async function startProgram(target: string, receives: boolean, ca?: string) {
  const args = ['--input-type=module', '-e', PROGRAM, receives ? 'yes' : 'no'];
  const tls = ca === undefined ? {} : { SPREAD_SIDECAR_TLS_CA: ca };
  const env = { ...process.env, SPREAD_SIDECAR_TARGET: target, ...tls };
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const program = { child, printed: '' };
  child.stdout.on('data', (text) => {
    program.printed += text;
  });
  await until(() => program.printed.includes('joined\n'), { timeoutMs: 20_000 });
  return program;
}

/** The view without the program. */
async function departure(member: Mailbox) {
  for (;;) {
    const event = await member.receive({ timeoutMs: 20_000 });
    if (event.kind === 'view' && event.cause !== 'JOIN') return event;
  }
}

/** A whole sidecar, with or without TLS: the target, a member of `g`, and the CA file. */
async function startWithTransport(transport: 'TCP' | 'TLS') {
  const folder = temporaryFolder();
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.server();
  const isTls = transport === 'TLS';
  const sidecar = await startSecured(
    isTls
      ? {
          GRPC_TLS_CERT: put(join(folder, 'tls.crt'), cert),
          GRPC_TLS_KEY: put(join(folder, 'tls.key'), key),
        }
      : {},
  );
  const member = await sidecar
    .client(isTls ? { tls: { ca: authority.cert } } : {})
    .connect({ privateName: 'member' });
  await member.join('g', { awaitView: true });
  const ca = isTls ? put(join(folder, 'ca.crt'), authority.cert) : undefined;
  return { target: sidecar.targets[0]!, member, ca };
}

describe('a mailbox that ends with its connection', () => {
  // Parallel test processes can delay this by more than a second.
  for (const transport of ['TCP', 'TLS'] as const)
    it(`ends within a second when its program is killed, over ${transport}`, {
      timeout: 60_000,
      retry: 3,
    }, async () => {
      const { target, member, ca } = await startWithTransport(transport);
      const { child } = await startProgram(target, true, ca);
      child.kill('SIGKILL');
      const killed = performance.now();
      expect(await departure(member)).toMatchObject({
        cause: 'DISCONNECT',
        changedMembers: ['#app#localhost'],
      });
      expect(performance.now() - killed).toBeLessThan(1000);
    });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const)
    for (const [what, receives] of [
      ['receives', true],
      ['only sends', false],
    ] as const)
      it(`ends within a second when its program, which ${what}, gets ${signal}`, async () => {
        const { member, target, unixTarget } = await startMember();
        const { child } = await startProgram(receives ? target : unixTarget!, receives);
        child.kill(signal);
        const killed = performance.now();
        expect(await departure(member)).toMatchObject({
          cause: 'DISCONNECT',
          members: ['#member#localhost'],
        });
        // The lease is 30 s.
        expect(performance.now() - killed).toBeLessThan(5000);
      }, 60_000);

  it('continues over a new connection, and misses nothing', async () => {
    const { member, target, registry } = await startMember();
    const proxy = await FaultProxy.start(Number(target.split(':').at(-1)));
    onTestFinished(() => proxy.stop());
    const sidecar = sidecarAt(`127.0.0.1:${proxy.port}`);
    const app = await sidecar.connect({ privateName: 'app', endWithConnection: true, autoReceive: true });
    await app.join('g', { awaitView: true });
    await member.multicast(AGREED_MESS, 'g', 'one');
    proxy.cut();
    await member.multicast(AGREED_MESS, 'g', 'two');
    const texts: string[] = [];
    while (texts.length < 2) {
      const event = await app.receive({ timeoutMs: 20_000 });
      if (event.kind === 'regular') texts.push(event.text());
    }
    expect(texts).toEqual(['one', 'two']);
    expect(registry.size).toBe(2);
    expect(proxy.connections).toBeGreaterThan(1);
  }, 60_000);

  it('keeps its lease when its program is stopped and the sidecar closes the connection', async () => {
    const transport = { keepaliveTimeMs: 200, keepaliveTimeoutMs: 200 };
    const lease = { defaultMs: 4000, minMs: 100, maxMs: 3_600_000 };
    const { member, target, server } = await startMember({ transport, mailbox: { lease } });
    const { child } = await startProgram(target, true);
    child.kill('SIGSTOP');
    await until(() => server.connections === 1, { timeoutMs: 20_000 });
    const cut = performance.now();
    expect(await departure(member)).toMatchObject({ cause: 'DISCONNECT' });
    expect(performance.now() - cut).toBeGreaterThan(3000);
  }, 60_000);

  it('differs from one that keeps its lease', async () => {
    const lease = { defaultMs: 3000, minMs: 100, maxMs: 3_600_000 };
    const { member, target, registry } = await startMember({ mailbox: { lease } });
    const sidecar = sidecarAt(target);
    await sidecar.connect({ privateName: 'keeps' });
    const ends = await sidecar.connect({ privateName: 'ends', endWithConnection: true });
    await ends.join('g', { awaitView: true });
    await sidecar.close({ keepMailboxes: true });
    await departure(member);
    const names = registry.list({ pageSize: 0, pageToken: '' }).mailboxes.map((one) => one.privateGroup);
    expect(names).toEqual(['#member#localhost', '#keeps#localhost']);
  }, 60_000);
});
