import { describe, expect, it } from 'vitest';
import { RestartableDaemon } from '../support/daemons/restartable-daemon.js';
import { cli, startCli } from '../support/sidecars/cli.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';
import { sigterm } from './cli-helpers.js';

describe('flood', () => {
  it('counts sent and received messages, and reports rates and latencies', async () => {
    const { target, registry } = await startSidecar();
    const args = [
      'flood',
      '-t',
      target,
      '--senders',
      '2',
      '--receivers',
      '3',
      '-m',
      '500',
      '-b',
      '100',
      '--json',
    ];
    const { exitCode, stdout, stderr } = await cli([
      ...args,
      '--quiet',
      '--window',
      '50',
      '--service',
      'fifo',
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      sent: 1000,
      received: 3000,
      expected: 3000,
      lost: 0,
      refused: 0,
      outOfOrder: 0,
    });
    expect(report.sentPerSecond).toBeGreaterThan(10);
    expect(report.latencyMs.p50).toBeGreaterThan(0);
    expect(report.latencyMs.p99).toBeGreaterThanOrEqual(report.latencyMs.p50);
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
  });

  it('keeps a rate for a time, and prints lines without a terminal', async () => {
    const { target } = await startSidecar();
    const args = ['flood', '-t', target, '--seconds', '2', '--rate', '200'];
    const { exitCode, stdout, stderr } = await cli(args);
    expect(exitCode).toBe(0);
    const sent = Number(/^sent +(\d+) messages/.exec(stdout)?.[1]);
    expect(sent).toBeGreaterThan(300);
    expect(sent).toBeLessThanOrEqual(400);
    expect(stdout).toMatch(/^latency +p50 [\d.]+ ms, p90 .* p99\.9 .* max/m);
    expect(stderr).toMatch(/^\d+ %: sent \d+, received \d+, [\d,]+ msg\/s$/m);
  });

  it('shows a progress bar on a terminal, and removes it', async () => {
    const { target } = await startSidecar();
    const running = startCli(['flood', '-t', target, '--seconds', '1', '--receivers', '0', '--rate', '100'], {
      terminal: true,
    });
    expect(await running.exitCode).toBe(0);
    expect(running.stderr).toMatch(/\[#+\.*\] +\d+ %/);
    expect(running.stderr.endsWith('\r\u001b[K')).toBe(true);
    expect(running.stdout).not.toContain('latency');
  });

  it('receives messages in flight after it was stopped, and reports', async () => {
    const { target } = await startSidecar();
    const running = startCli(['flood', '-t', target, '--seconds', '3600', '--json']);
    await until(() => running.stderr.includes('received'), { timeoutMs: 10_000 });
    running.stop(sigterm);
    expect(await running.exitCode).toBe(143);
    const report = JSON.parse(running.stdout);
    expect(report.received).toBeGreaterThan(0);
    expect(report).toMatchObject({ received: report.expected, lost: 0 });
  });

  it('fails when its messages are rejected, or it loses its mailbox', async () => {
    const { target, daemon } = await startSidecar();
    const refused = await cli(['flood', '-t', target, '-g', 'bad group', '--receivers', '0', '-m', '3']);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('ILLEGAL_GROUP');
    expect(refused.stdout).toMatch(/refused +3/);
    const running = startCli(['flood', '-t', target, '--seconds', '3600']);
    await until(() => running.stderr.includes('received'), { timeoutMs: 10_000 });
    await daemon?.close();
    expect(await running.exitCode).toBe(5);
    // Either the end of the mailbox or a failed send comes first.
    expect(running.stderr).toMatch(/error: .*(CONNECTION_CLOSED|NET_ERROR_ON_SESSION)/);
  });
});

describe('receive with a daemon that restarts', () => {
  it('waits at its start with --reconnect for an unreachable daemon, and fails without it', async () => {
    const daemon = await RestartableDaemon.start();
    const { target } = await startSidecar({ daemons: [daemon.address] });
    await daemon.stop();
    const start = (...more: string[]) => startCli(['receive', 'cats', '-f', '-t', target, ...more]);
    const [waits, stopped, ends] = [start('--reconnect'), start('--reconnect'), start()];
    expect(await ends.exitCode).toBe(3);
    await until(() => [waits, stopped].every(({ stderr }) => stderr.includes('; retrying\n')));
    stopped.stop(sigterm);
    expect(await stopped.exitCode).toBe(0);
    await daemon.start();
    await until(() => waits.stderr.includes('receiving as #'));
    await cli(['send', 'cats', '-m', 'hello', '-t', target]);
    await until(() => waits.stdout.includes('hello'));
    waits.stop(sigterm);
    expect(await waits.exitCode).toBe(0);
  });

  it('continues with --reconnect, and ends without it', async () => {
    const daemon = await RestartableDaemon.start();
    const { target } = await startSidecar({ daemons: [daemon.address] });
    const start = (...more: string[]) => startCli(['receive', 'cats', '-f', '-t', target, ...more]);
    const [stays, ends] = [start('--reconnect', '--json', '--no-views'), start()];
    await until(() => [stays, ends].every(({ stderr }) => stderr.includes('receiving as #')));
    await daemon.restart();
    expect(await ends.exitCode).not.toBe(0);
    await until(() => stays.stdout.includes('"connectionRestored"'));
    await cli(['send', 'cats', '-m', 'still there?', '-t', target]);
    await until(() => stays.stdout.includes('still there?'));
    stays.stop(sigterm);
    expect(await stays.exitCode).toBe(0);
    const events = stays.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ kind, groups }) => [kind, groups])).toEqual([
      ['connectionLost', ['cats']],
      ['connectionRestored', ['cats']],
      ['regular', ['cats']],
    ]);
  });
});
