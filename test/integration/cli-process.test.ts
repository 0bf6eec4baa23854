import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../../scripts/build.mjs';
import { Interruption } from '../../server/src/cli/terminal/interruption.js';
import { sidecarAt } from '../support/clients/client.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { startCli } from '../support/sidecars/cli.js';
import { startCommand } from '../support/sidecars/command-process.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

describe('a command as a process', () => {
  it.each([
    [['--version'], 0],
    [['nonsense'], 2],
  ])('%j exits with %i by itself', async (args, code) => {
    expect(await startCommand(...args).exited()).toBe(code);
  });

  it.skipIf(process.platform === 'win32')('names the limit of open files that keeps it from loading', () => {
    const folder = temporaryFolder();
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
    // The program has few files, so a low limit would keep Node itself from starting.
    const program = "import { openSync } from 'node:fs';\nfor (;;) openSync('/dev/null');\n";
    mkdirSync(join(folder, 'dist/server/bundle'), { recursive: true });
    writeFileSync(join(folder, 'dist/server/bundle/main.js'), program);
    const command = `ulimit -n 64; exec "${process.execPath}" "${folder}/bin/spread-sidecar.mjs" serve`;
    const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 20_000 });
    expect(stderr).toBe(
      'spread-sidecar: too many open files (EMFILE) while the program loads: raise the limit (ulimit -n, or nofile of the container)\n',
    );
    expect(status).toBe(1);
  });

  it('exits when its work is done, without open handles', async () => {
    const { target } = await startSidecar();
    const send = startCommand('send', 'g', '-m', 'x', '-t', target);
    expect(await send.exited()).toBe(0);
    expect(send.written.stderr).toBe('sent 1 byte to g\n');
    // Standard input stays open. The quit command at the end of the script ends the process.
    const user = startCommand('user', '-t', target);
    user.child.stdin?.write('j g\nq\n');
    expect(await user.exited()).toBe(0);
    expect(user.written.stdout).toContain('g: #user#localhost joined');
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends gracefully at %s', async (signal) => {
    const { target, registry } = await startSidecar();
    const receive = startCommand('receive', 'g', '--follow', '-t', target);
    await until(() => receive.written.stdout.includes('g: '), { timeoutMs: 10_000 });
    receive.child.kill(signal);
    expect(await receive.exited()).toBe(0);
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
  });

  it('has an exit code that shows an incomplete run after a signal', async () => {
    const { target, registry } = await startSidecar();
    const receive = startCommand('receive', 'g', '-t', target);
    await until(() => receive.written.stdout.includes('g: '), { timeoutMs: 10_000 });
    receive.child.kill('SIGINT');
    expect(await receive.exited()).toBe(130);
    const send = startCommand('send', 'g', '-t', target);
    const connected = () => registry.list({ pageSize: 0, pageToken: '' }).mailboxes.length === 1;
    await until(connected, { timeoutMs: 10_000 });
    send.child.kill('SIGTERM');
    expect(await send.exited()).toBe(143);
  });

  it('ends immediately at a second signal', async () => {
    const sidecar = await startSidecar();
    const proxy = await FaultProxy.start(Number(sidecar.target.split(':')[1]));
    onTestFinished(() => proxy.stop());
    const target = `127.0.0.1:${proxy.port}`;
    const receive = startCommand('receive', 'g', '--follow', '-t', target, '--timeout', '1h');
    await until(() => receive.written.stdout.includes('g: '), { timeoutMs: 10_000 });
    // The disconnect gets no response. Without the second signal, the command would wait for an hour.
    proxy.silent = true;
    receive.child.kill('SIGINT');
    receive.child.kill('SIGTERM');
    expect([130, 143]).toContain(await receive.exited());
  });

  it.each([
    ['user', 'stdout'],
    ['receive', 'stderr'],
  ] as const)(
    '%s reports immediately that the sidecar is lost, and then that it is reached again',
    async (name, stream) => {
      const sidecar = await startSidecar();
      const proxy = await FaultProxy.start(Number(sidecar.target.split(':')[1]));
      onTestFinished(() => proxy.stop());
      const args = name === 'user' ? [] : ['g', '--follow'];
      const running = startCli([name, ...args, '-t', `127.0.0.1:${proxy.port}`]);
      if (name === 'user') running.stdin.write('j g\n');
      // An event has arrived, so the stream is attached.
      await until(() => running.stdout.includes('joined'));
      proxy.cut();
      await until(() => running[stream].includes('connection to the sidecar lost; retrying for up to 30 s'), {
        timeoutMs: 5000,
      });
      await until(() => running[stream].includes('reconnected to the sidecar'), { timeoutMs: 10_000 });
      running.stop(new Interruption('SIGTERM', 143));
      expect(await running.exitCode).toBe(0);
    },
  );

  it('ends gracefully when the reader of its output closes the pipe', async () => {
    const { target, registry } = await startSidecar();
    const receive = startCommand('receive', 'g', '--follow', '--raw', '-t', target);
    await until(() => receive.written.stderr.includes('receiving as'), { timeoutMs: 10_000 });
    receive.child.stdout?.destroy();
    const mailbox = await sidecarAt(target).connect();
    // The first write into a pipe without a reader reports that the pipe is closed.
    await until(async () => {
      await mailbox.multicast(16, 'g', 'to nobody');
      return registry.list({ pageSize: 0, pageToken: '' }).mailboxes.length === 1;
    });
    expect(await receive.exited()).toBe(0);
    expect(receive.written.stderr).not.toContain('error');
  });

  it('that serves continues when the reader of its output closes the pipe', async () => {
    const port = await freePort();
    const daemon = startCommand('daemon', '-p', String(port), '--socket', 'off');
    await until(() => daemon.written.stdout.includes('is ready'), { timeoutMs: 10_000 });
    daemon.child.stdout?.destroy();
    daemon.child.stderr?.destroy();
    const sidecar = await startSidecar({ daemons: [`${port}@127.0.0.1`] });
    for (let i = 0; i < 3; i += 1) await (await sidecarAt(sidecar.target).connect()).disconnect();
    expect(daemon.child.exitCode).toBeNull();
    daemon.child.kill('SIGTERM');
    expect(await daemon.exited()).toBe(0);
  });
});
