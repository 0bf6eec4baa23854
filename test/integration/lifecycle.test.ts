import { existsSync, statSync } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { AGREED_MESS, type Mailbox, SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort, SidecarProcess } from '../support/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

interface Started {
  readonly process: SidecarProcess;
  readonly args: string[];
  readonly ports: { readonly grpc: number; readonly admin: number; readonly daemon: number };
  readonly sockets: { readonly grpc: string; readonly daemon: string };
  readonly sidecar: SpreadSidecar;
}

/** A sidecar with the embedded daemon on ports and sockets of its own, ready. */
async function start(...more: string[]): Promise<Started> {
  const folder = temporaryFolder();
  const ports = { grpc: await freePort(), admin: await freePort(), daemon: await freePort() };
  const sockets = { grpc: join(folder, 'grpc.sock'), daemon: join(folder, 'spread.sock') };
  const args = [
    '--embedded-daemon',
    ...['--grpc-listen', `127.0.0.1:${ports.grpc},unix:${sockets.grpc}`],
    ...['--admin-listen', `127.0.0.1:${ports.admin}`],
    ...['--embedded-listen', `127.0.0.1:${ports.daemon}`],
    ...['--embedded-socket', sockets.daemon],
    ...more,
  ];
  const process = new SidecarProcess(args);
  await process.ready(ports.admin);
  const sidecar = new SpreadSidecar({ target: `127.0.0.1:${ports.grpc}` });
  // Where the process is gone there is nobody to say goodbye to.
  onTestFinished(() => sidecar.close({ keepMailboxes: true }));
  return { process, args, ports, sockets, sidecar };
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = openSocket(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

async function expectNothingLeft({ ports, sockets }: Started): Promise<void> {
  for (const port of Object.values(ports)) expect(await listens(port)).toBe(false);
  for (const socket of Object.values(sockets)) expect(existsSync(socket)).toBe(false);
}

/** Multicasts to the group until the mailbox ends; resolves to how many sends were answered with success. */
async function sendUntilItEnds(mailbox: Mailbox): Promise<number> {
  for (let sent = 0; ; sent++) {
    try {
      await mailbox.multicast(AGREED_MESS, 'busy', `message ${sent}`);
    } catch {
      return sent;
    }
  }
}

describe('a sidecar process', () => {
  it('drains at SIGTERM under traffic: streams get what was received and the reason, and nothing is left', async () => {
    const started = await start();
    const mailbox = await started.sidecar.connect({ privateName: 'busy' });
    await mailbox.join('busy', { awaitView: true });
    const sending = sendUntilItEnds(mailbox);
    const received: string[] = [];
    const ended = (async () => {
      for (;;) {
        const event = await mailbox.receive();
        if (event.kind === 'regular') received.push(event.text());
      }
    })().catch((error: unknown) => error);
    await until(() => received.length > 100, { what: 'traffic' });

    started.process.kill('SIGTERM');
    expect(await within(started.process.exited, 'exit after SIGTERM', 15_000)).toEqual({
      code: 0,
      signal: null,
    });
    const reason = await within(ended, 'the end of the stream');
    expect(reason).toBeInstanceOf(SpreadError);
    expect(reason).toMatchObject({ reason: 'DRAINING', statusName: 'UNAVAILABLE' });
    expect((reason as SpreadError).metadata.last_sequence).toBe(String(mailbox.lastSequence));
    await sending;
    expect(received).toEqual(received.map((_, index) => `message ${index}`));
    await expectNothingLeft(started);
  });

  it('leaves its daemon cleanly at SIGTERM and is told apart from serving by health', async () => {
    const started = await start('--drain-grace', '5s');
    const mailbox = await started.sidecar.connect({ privateName: 'idle' });
    await mailbox.join('quiet', { awaitView: true });
    expect((await fetch(`http://127.0.0.1:${started.ports.admin}/livez`)).status).toBe(200);
    started.process.kill('SIGTERM');
    expect(await within(started.process.exited, 'exit after SIGTERM')).toEqual({ code: 0, signal: null });
    await expectNothingLeft(started);
  });

  it('exits at once at a second signal', async () => {
    // A receiver that takes nothing holds the drain for the whole grace.
    const started = await start('--drain-grace', '60s');
    const mailbox = await started.sidecar.connect({
      privateName: 'stuck',
      maxBufferedEvents: 1,
      autoReceive: true,
    });
    await mailbox.join('stuck', { awaitView: true });
    const payload = Buffer.alloc(100_000);
    for (let sent = 0; sent < 100; sent++) await mailbox.multicast(AGREED_MESS, 'stuck', payload);
    started.process.kill('SIGTERM');
    await until(
      async () => {
        const response = await fetch(`http://127.0.0.1:${started.ports.admin}/readyz`).catch(() => undefined);
        return response?.status === 503;
      },
      { what: 'the drain has begun' },
    );
    started.process.kill('SIGTERM');
    const { code } = await within(started.process.exited, 'exit at the second signal', 3000);
    expect(code).toBe(143);
  });

  it('starts again where a killed one left its socket files, and serves on them', async () => {
    const started = await start();
    started.process.kill('SIGKILL');
    await started.process.exited;
    expect(statSync(started.sockets.grpc).isSocket()).toBe(true);
    expect(statSync(started.sockets.daemon).isSocket()).toBe(true);

    const again = new SidecarProcess(started.args);
    await again.ready(started.ports.admin);
    const sidecar = new SpreadSidecar({ target: `unix:${started.sockets.grpc}` });
    onTestFinished(() => sidecar.close({ keepMailboxes: true }));
    const mailbox = await sidecar.connect({ privateName: 'again' });
    expect(mailbox.privateGroup).toBe('#again#localhost');
    await mailbox.disconnect();
    again.kill('SIGTERM');
    expect((await again.exited).code).toBe(0);
    await expectNothingLeft(started);
  });

  it('names a port that is taken and what to do, and leaves the other sidecar alone', async () => {
    const started = await start();
    const second = new SidecarProcess(started.args);
    const { code } = await within(second.exited, 'exit of the second sidecar');
    expect(code).toBe(7);
    expect(second.stderr).toMatch(/127\.0\.0\.1.*(stop|choose|configure) /s);
    expect(await started.sidecar.version()).toMatchObject({ embeddedDaemon: true });
  });
});
