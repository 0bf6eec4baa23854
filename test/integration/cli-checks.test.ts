import { writeFileSync } from 'node:fs';
import { createServer, connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cli, startCli } from '../support/sidecars/cli.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';
import { listener, sigterm } from './cli-helpers.js';

describe('healthcheck', () => {
  it('reports whether the sidecar responds, by exit codes 0 and 1 only', async () => {
    const { target } = await startSidecar();
    const well = await cli(['healthcheck', '-t', target, '--daemon']);
    expect(well.exitCode).toBe(0);
    expect(well.stdout).toBe(
      `healthy: the sidecar at ${target} responds and is connected to its Spread daemon\n`,
    );
    const nobody = `127.0.0.1:${await freePort()}`;
    const ill = await cli(['healthcheck', '-t', nobody]);
    expect(ill.exitCode).toBe(1);
    expect(ill.stderr).toMatch(/^unhealthy: .*ECONNREFUSED/);
    expect(await cli(['healthcheck', '-t', nobody, '-q'])).toEqual({ exitCode: 1, stdout: '', stderr: '' });
  });

  it('finds the sidecar that the same environment and file would start', async () => {
    const { target } = await startSidecar();
    const port = target.split(':')[1];
    const byEnvironment = await cli(['healthcheck'], {
      env: { SPREAD_SIDECAR_GRPC_LISTEN: `127.0.0.1:${port}` },
    });
    expect(byEnvironment.exitCode).toBe(0);
    const file = join(temporaryFolder(), 's.yaml');
    writeFileSync(file, `grpc:\n  listen: "127.0.0.1:${port}"\n`);
    expect((await cli(['healthcheck'], { env: { SPREAD_SIDECAR_CONFIG: file } })).exitCode).toBe(0);
    const broken = await cli(['healthcheck'], { env: { SPREAD_SIDECAR_GRPC_LISTEN: 'x' } });
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toContain('grpc.listen must be');
  });

  it('waits for health if requested, at most for the given time', async () => {
    const { port, server } = await listener();
    let tries = 0;
    server.on('connection', () => {
      tries += 1;
    });
    const target = `127.0.0.1:${port}`;
    const waiting = startCli(['healthcheck', '-t', target, '--daemon', '--wait', '1h']);
    const stopped = startCli(['healthcheck', '-t', target, '--wait', '1h']);
    await until(() => tries > 4);
    stopped.stop(sigterm);
    expect(await stopped.exitCode).toBe(1);
    expect(stopped.stderr).toMatch(/^unhealthy: /);
    const shortly = await cli(['healthcheck', '-t', target, '--wait', '150ms']);
    expect(shortly).toMatchObject({ exitCode: 1, stdout: '' });

    await new Promise((resolve) => server.close(resolve));
    const running = startCli([
      ...['serve', '--embedded-daemon', '--embedded-listen', '127.0.0.1:0', '--embedded-socket', 'off'],
      ...['--grpc-listen', target, '--admin-listen', 'off'],
    ]);
    expect(await waiting.exitCode).toBe(0);
    expect(waiting.stdout).toContain('healthy: the sidecar at ');
    expect(waiting.stderr).toBe('');
    running.stop(sigterm);
    expect(await running.exitCode).toBe(0);
  });

  it('does not wait for a sidecar that does not respond', async () => {
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const { exitCode } = await cli(['healthcheck', '-t', `127.0.0.1:${port}`, '--timeout', '100ms']);
    expect(exitCode).toBe(1);
  });
});

describe('check', () => {
  const addresses = async (grpc: number) => [
    ...['--grpc-listen', `127.0.0.1:${grpc}`],
    ...['--admin-listen', `127.0.0.1:${await freePort()}`],
  ];

  it('reports success', async () => {
    const { daemonAddress } = await startSidecar();
    const args = ['check', ...(await addresses(await freePort())), '--daemon-addresses', daemonAddress];
    const { exitCode, stdout, stderr } = await cli(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(
      /^ok {3}configuration: valid; 3 options set\nok {3}gRPC: .* is free\nok {3}admin: .* is free\nok {3}daemon .*: Spread 5\.0\.1 answers\n$/,
    );
  });

  it('names occupied addresses and unreachable daemons', async () => {
    const { port } = await listener();
    const nobody = `${await freePort()}@127.0.0.1`;
    const free = await freePort();
    const taken = await cli([
      'check',
      ...(await addresses(port)),
      '--embedded-daemon',
      '--embedded-listen',
      '127.0.0.1:0',
    ]);
    expect(taken.exitCode).toBe(7);
    expect(taken.stdout).toContain(
      `FAIL gRPC: 127.0.0.1:${port} (--grpc-listen) is in use by another process: stop`,
    );
    expect(taken.stdout).toContain('ok   daemon: the embedded one');
    const silent = await cli(['check', ...(await addresses(free)), '--daemon-addresses', nobody]);
    expect(silent.exitCode).toBe(3);
    expect(silent.stdout).toMatch(new RegExp(`FAIL daemon ${nobody}: .*ECONNREFUSED`));
  });

  it('succeeds if one of several daemons is reachable', async () => {
    const { daemonAddress } = await startSidecar();
    const nobody = `${await freePort()}@127.0.0.1`;
    const args = [
      'check',
      ...(await addresses(await freePort())),
      '--daemon-addresses',
      `${nobody},${daemonAddress}`,
    ];
    const { exitCode, stdout } = await cli(args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`warn daemon ${nobody}`);
  });

  it('does not modify existing sockets', async () => {
    const folder = temporaryFolder();
    const [file, live] = [join(folder, 'file'), join(folder, 'live')];
    writeFileSync(file, '');
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(live, resolve));
    onTestFinished(() => void server.close());
    const listen = [file, live, join(folder, 'free'), join(folder, 'no', 'folder')].map(
      (path) => `unix:${path}`,
    );
    const args = ['--grpc-listen', listen.join(','), '--admin-listen', 'off'];
    const daemon = ['--embedded-daemon', '--embedded-listen', '127.0.0.1:0', '--embedded-socket', 'off'];
    const { exitCode, stdout } = await cli(['check', ...args, ...daemon]);
    expect(exitCode).toBe(7);
    expect(stdout).toContain(`FAIL gRPC: ${file} (--grpc-listen) is an existing file that is not a socket`);
    expect(stdout).toContain(`FAIL gRPC: ${live} (--grpc-listen) is in use by another process`);
    expect(stdout).toContain(`ok   gRPC: ${join(folder, 'free')} is free`);
    expect(stdout).toMatch(/FAIL gRPC: .*no\/folder .* is not usable: the folder .*\/no does not exist/);
    await new Promise((resolve) => openSocket(live).once('connect', resolve));
  });
});
