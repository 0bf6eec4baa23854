import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, connect as openSocket, type Server } from 'node:net';
import { join } from 'node:path';
import { AGREED_MESS } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Interruption } from '../../server/src/cli/interruption.js';
import { Session } from '../../server/src/spread/session.js';
import { sidecarAt } from '../support/clients/client.js';
import { RestartableDaemon } from '../support/daemons/restartable-daemon.js';
import { cli, startCli } from '../support/sidecars/cli.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until } from '../support/until.js';

const told = new Interruption('SIGTERM', 143);

/** A listener on a free port, for commands that want to know whether it is free. */
async function listener(): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as { port: number }).port, server };
}

describe('send and receive', () => {
  it('carry messages from one to the other, as text, JSON and bytes', async () => {
    const { target } = await startSidecar();
    const start = (...args: string[]) => startCli(['receive', 'cats', '-t', target, '-c', '4', ...args]);
    const receivers = [start(), start('--json', '--no-views'), start('--raw')];
    await until(() => receivers.every(({ stderr }) => stderr.includes('receiving as #')));

    const env = { SPREAD_SIDECAR_TARGET: target };
    const first = await cli(['send', 'cats', 'dogs', '-m', 'grüß', '--type', '-7', '--service', 'SAFE'], {
      env,
    });
    expect(first).toEqual({ exitCode: 0, stdout: '', stderr: 'sent 6 bytes to cats, dogs\n' });
    const bytes = Buffer.from([0, 255, 10]);
    await cli(['send', 'cats', '-u', 'bob', '-q', '--self-discard'], { env, input: bytes });
    const lines = await cli(['send', 'cats', '--lines'], { env, input: 'one\r\ntwo\n' });
    expect(lines.stderr).toBe('sent 2 messages to cats\n');

    expect(await Promise.all(receivers.map(({ exitCode }) => exitCode))).toEqual([0, 0, 0]);
    const [text, json, raw] = receivers.map(({ stdout }) => stdout);
    expect(text).toMatch(/^cats: #.+#localhost joined; 1 member/);
    expect(text).toContain('to cats, dogs (SAFE, type -7, 6 bytes) grüß\n');
    expect(text).toContain('#bob#localhost to cats (AGREED, type 0, 3 bytes, self-discard) 0x00ff0a\n');
    const events = (json ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.map(({ kind, text }) => [kind, text])).toEqual([
      ['regular', 'grüß'],
      ['regular', undefined],
      ['regular', 'one'],
      ['regular', 'two'],
    ]);
    expect(events[0]).toMatchObject({ groups: ['cats', 'dogs'], serviceType: 'SAFE', messageType: -7 });
    expect(Buffer.from(events[1].payload, 'base64')).toEqual(bytes);
    expect(raw).toBe(`grüß${bytes}onetwo`);
  });

  it('receive of no group takes what comes to the private group', async () => {
    const { target } = await startSidecar();
    const receiver = startCli(['receive', '-u', 'me', '-t', target]);
    await until(() => receiver.stderr.includes('receiving as #me#localhost from its private group'));
    await cli(['send', '#me#localhost', '-m', 'psst', '-t', target]);
    expect(await receiver.exitCode).toBe(0);
    expect(receiver.stdout).toMatch(/#localhost to #me#localhost .* psst\n$/);
  });

  it('receive ends after a silence, with a code of its own', async () => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await cli(['receive', 'cats', '--wait', '50ms', '--no-views', '-t', target]);
    expect(exitCode).toBe(6);
    expect(stderr).toContain('error: nothing arrived for 50 ms');
  });

  it('receive --follow is ended in order, and says goodbye', async () => {
    const { target, registry } = await startSidecar();
    const receiver = startCli(['receive', 'cats', '--follow', '-t', target]);
    await until(() => receiver.stdout.includes('cats: '));
    receiver.stop(told);
    expect(await receiver.exitCode).toBe(0);
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
  });

  it('receive of a number of messages that is told to stop was not done', async () => {
    const { target } = await startSidecar();
    const receiver = startCli(['receive', 'cats', '-t', target]);
    await until(() => receiver.stdout.includes('cats: '));
    receiver.stop(told);
    expect(await receiver.exitCode).toBe(143);
  });

  it('receive tells why the mailbox ended, after what came before', async () => {
    const { target, daemon } = await startSidecar();
    const receiver = startCli(['receive', 'cats', '--follow', '-t', target]);
    await until(() => receiver.stderr.includes('receiving as'));
    await cli(['send', 'cats', '-m', 'the last', '-t', target]);
    await daemon?.close();
    expect(await receiver.exitCode).toBe(5);
    expect(receiver.stdout).toContain('the last\n');
    expect(receiver.stderr).toMatch(/error: .* \(CONNECTION_CLOSED, -8\)/);
  });

  it.each<[string[], number, RegExp]>([
    [['send', 'bad group', '-m', 'x'], 4, /ILLEGAL_GROUP, -14/],
    [['send', 'g', '-m', 'x', '-u', 'much-too-long'], 4, /REJECT_ILLEGAL_NAME, -5/],
    [['send', 'g', '-m', 'x', '-s', '4803@elsewhere'], 4, /DAEMON_NOT_ALLOWED/],
    [['send', 'g', '-m', 'x', '-s', 'nonsense@'], 4, /ILLEGAL_SPREAD, -1/],
    [['receive', 'bad group'], 4, /ILLEGAL_GROUP, -14/],
    [['send', 'g', '--lines'], 4, /messages refused: 1, the first: .*143/],
  ])('%j is refused with exit code %i', async (args, exitCode, sentence) => {
    const { target } = await startSidecar();
    const result = await cli([...args, '-t', target], { input: 'x'.repeat(143_120) });
    expect(result.stderr).toMatch(sentence);
    expect(result.exitCode).toBe(exitCode);
  });

  it('send of too long a message reads no more of it than needed', async () => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await cli(['send', 'g', '-t', target], { input: Buffer.alloc(143_120) });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('the message on standard input has more than 143119 bytes');
  });

  it.each([['send', 'g', '-m', 'x'], ['receive', 'g'], ['user'], ['flood', '-q']])(
    '%s says that no sidecar is there',
    async (...args) => {
      const target = `127.0.0.1:${await freePort()}`;
      const { exitCode, stderr } = await cli([...args, '-t', target]);
      expect(exitCode).toBe(3);
      expect(stderr).toContain(`the sidecar at ${target} cannot be reached: connection refused`);
    },
  );
});

describe('user', () => {
  it('of two terminals sees the views and messages of the other', async () => {
    const { target } = await startSidecar();
    const [one, two] = [startCli(['user', '-t', target]), startCli(['user', '-t', target])];
    await until(() => one.stdout.includes('connected') && two.stdout.includes('connected'));
    const names = [one, two].map(({ stdout }) => /as (#\S+)/.exec(stdout)?.[1]);
    expect(names.sort()).toEqual(['#user#localhost', '#user2#localhost']);
    one.stdin.write('j cats\n');
    await until(() => one.stdout.includes('1 member'));
    two.stdin.write('j cats\n');
    await until(() => one.stdout.includes('2 members') && two.stdout.includes('2 members'));
    one.stdin.write('s cats dogs\nhello from one\n');
    await until(() => two.stdout.includes('to cats, dogs (SAFE, type 1, 14 bytes) hello from one'));
    two.stdin.write('b cats\n50\n');
    await until(() => one.stdout.match(/FIFO, type 2, 50 bytes/g)?.length === 10);
    two.stdin.write('l cats\n');
    await until(() => /#localhost left; 1 member/.test(one.stdout) && two.stdout.includes('left cats'));
    two.stdin.write('j cats\nq\n');
    expect(await two.exitCode).toBe(0);
    await until(() => /#localhost disconnected; 1 member/.test(one.stdout));
    one.stdin.end();
    expect(await one.exitCode).toBe(0);
  });

  it('on a pipe sees its own messages before it ends', async () => {
    const { target } = await startSidecar();
    const { stdout, exitCode } = await cli(['user', '-t', target], { input: 'j cats\ns cats\nhello\n' });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/to cats \(SAFE, type 1, 5 bytes\) hello\n$/);
  });
});

describe('flood', () => {
  it('counts what it sends and receives, and tells rates and latencies', async () => {
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

  it('keeps a rate, for a time, and shows lines where there is no terminal', async () => {
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

  it('shows a bar on a terminal, and takes it away', async () => {
    const { target } = await startSidecar();
    const running = startCli(['flood', '-t', target, '--seconds', '1', '--receivers', '0', '--rate', '100'], {
      terminal: true,
    });
    expect(await running.exitCode).toBe(0);
    expect(running.stderr).toMatch(/\[#+\.*\] +\d+ %/);
    expect(running.stderr.endsWith('\r\u001b[K')).toBe(true);
    expect(running.stdout).not.toContain('latency');
  });

  it('that is told to stop receives what is on its way, and reports', async () => {
    const { target } = await startSidecar();
    const running = startCli(['flood', '-t', target, '--seconds', '3600', '--json']);
    await until(() => running.stderr.includes('received'), { timeoutMs: 10_000 });
    running.stop(told);
    expect(await running.exitCode).toBe(143);
    const report = JSON.parse(running.stdout);
    expect(report.received).toBeGreaterThan(0);
    expect(report).toMatchObject({ received: report.expected, lost: 0 });
  });

  it('fails when its messages are refused, or it loses its mailbox', async () => {
    const { target, daemon } = await startSidecar();
    const refused = await cli(['flood', '-t', target, '-g', 'bad group', '--receivers', '0', '-m', '3']);
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toContain('ILLEGAL_GROUP');
    expect(refused.stdout).toMatch(/refused +3/);
    const running = startCli(['flood', '-t', target, '--seconds', '3600']);
    await until(() => running.stderr.includes('received'), { timeoutMs: 10_000 });
    await daemon?.close();
    expect(await running.exitCode).toBe(5);
    // Which of the two comes first, the end of the mailbox or a send that fails by it, is chance.
    expect(running.stderr).toMatch(/error: .*(CONNECTION_CLOSED|NET_ERROR_ON_SESSION)/);
  });
});

describe('receive and a daemon that starts anew', () => {
  it('waits at its start with --reconnect for a daemon that is away, and ends without', async () => {
    const daemon = await RestartableDaemon.start();
    const { target } = await startSidecar({ daemons: [daemon.address] });
    await daemon.stop();
    const start = (...more: string[]) => startCli(['receive', 'cats', '-f', '-t', target, ...more]);
    const [waits, stopped, ends] = [start('--reconnect'), start('--reconnect'), start()];
    expect(await ends.exitCode).toBe(3);
    await until(() => [waits, stopped].every(({ stderr }) => stderr.includes('; trying again\n')));
    stopped.stop(told);
    expect(await stopped.exitCode).toBe(0);
    await daemon.start();
    await until(() => waits.stderr.includes('receiving as #'));
    await cli(['send', 'cats', '-m', 'hello', '-t', target]);
    await until(() => waits.stdout.includes('hello'));
    waits.stop(told);
    expect(await waits.exitCode).toBe(0);
  });

  it('goes on with --reconnect, and ends without', async () => {
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
    stays.stop(told);
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

describe('healthcheck', () => {
  it('tells whether the sidecar answers, by 0 and 1 only', async () => {
    const { target } = await startSidecar();
    const well = await cli(['healthcheck', '-t', target, '--daemon']);
    expect(well.exitCode).toBe(0);
    expect(well.stdout).toBe(
      `healthy: the sidecar at ${target} answers and is connected to its Spread daemon\n`,
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

  it('waits until all is well where it is asked to, and no longer than that', async () => {
    const { port, server } = await listener();
    let tries = 0;
    server.on('connection', () => {
      tries += 1;
    });
    const target = `127.0.0.1:${port}`;
    const waiting = startCli(['healthcheck', '-t', target, '--daemon', '--wait', '1h']);
    const stopped = startCli(['healthcheck', '-t', target, '--wait', '1h']);
    await until(() => tries > 4);
    stopped.stop(told);
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
    running.stop(told);
    expect(await running.exitCode).toBe(0);
  });

  it('does not wait for a sidecar that says nothing', async () => {
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

  it('says that all is well', async () => {
    const { daemonAddress } = await startSidecar();
    const args = ['check', ...(await addresses(await freePort())), '--daemon-addresses', daemonAddress];
    const { exitCode, stdout, stderr } = await cli(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(
      /^ok {3}configuration: right; 3 options set\nok {3}gRPC: .* is free\nok {3}admin: .* is free\nok {3}daemon .*: Spread 5\.0\.1 answers\n$/,
    );
  });

  it('names what is taken and who does not answer', async () => {
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

  it('is content with one daemon of several', async () => {
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

  it('looks at sockets without touching them', async () => {
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
    expect(stdout).toMatch(
      /FAIL gRPC: .*no\/folder .* can't be listened on: the folder .*\/no does not exist/,
    );
    await new Promise((resolve) => openSocket(live).once('connect', resolve));
  });
});

describe('daemon', () => {
  const conf = `Spread_Segment 127.0.0.255:PORT {
  node1 127.0.0.1
  node2 127.0.0.2
}
MaxSessionMessages = 77
EventLogFile = /tmp/spread.log
`;

  it('is the daemon of a spread.conf, and says what it ignores of it', async () => {
    const port = await freePort();
    const file = join(temporaryFolder(), 'spread.conf');
    writeFileSync(file, conf.replace('PORT', String(port)));
    const socket = join(temporaryFolder(), 'socket');
    const running = startCli(['daemon', '-n', 'node1', '-c', file, '--socket', socket]);
    await until(() => running.stdout.includes('is ready'));
    expect(running.stdout).toContain(
      `Spread daemon node1 (embedded, a single node) is ready: ${port}@127.0.0.1, ${socket}`,
    );
    for (const text of [`${file}:3: ignored: daemon 'node2'`, `${file}:6: ignored: EventLogFile`])
      expect(running.stderr).toContain(text);
    for (const address of [`${port}@127.0.0.1`, socket]) {
      const session = await Session.connect({ address, privateName: 'bob' });
      expect(session.privateGroup).toBe('#bob#node1');
      session.start({ onMessage() {}, onClose() {} });
      await session.disconnect();
    }
    await until(() => running.stdout.match(/- #bob#node1 \(disconnect\)/g)?.length === 2);
    expect(running.stdout).toContain('+ #bob#node1 (unix, Spread 5.0.1)');
    running.stop(told);
    expect(await running.exitCode).toBe(0);
  });

  it('alone takes flags, and serves a sidecar', async () => {
    const running = startCli(['daemon', '-p', '0', '-n', `d-${randomBytes(2).toString('hex')}`, '-q']);
    await until(() => running.stdout.includes('is ready'));
    const address = /ready: (\S+)/.exec(running.stdout)?.[1] as string;
    const sidecar = await startSidecar({ daemons: [address] });
    const mailbox = await sidecarAt(sidecar.target).connect({ privateName: 'eve' });
    await mailbox.join('g', { awaitView: true });
    await mailbox.multicast(AGREED_MESS, 'g', 'x');
    expect(mailbox.privateGroup).toMatch(/^#eve#d-/);
    await mailbox.disconnect();
    expect(running.stdout).not.toContain('eve');
  });

  it('names a port that is taken', async () => {
    const { port } = await listener();
    const { exitCode, stderr } = await cli(['daemon', '-p', String(port), '--socket', 'off']);
    expect(exitCode).toBe(7);
    expect(stderr).toContain(`127.0.0.1:${port} (--port, --listen) is in use by another process`);
  });
});

describe('serve', () => {
  it('says where it is and what to try, and drains when it is told', async () => {
    const args = [
      'serve',
      '--embedded-daemon',
      '--embedded-listen',
      '127.0.0.1:0',
      '--embedded-socket',
      'off',
    ];
    const running = startCli([
      ...args,
      '--grpc-listen',
      '127.0.0.1:0',
      '--admin-listen',
      '127.0.0.1:0',
      '--log-level',
      'silent',
      '--log-format',
      'pretty',
    ]);
    await until(() => running.stdout.includes('npx spread-sidecar send'));
    const target = /gRPC +(\S+)/.exec(running.stdout)?.[1] as string;
    expect(running.stdout).toMatch(/^spread-sidecar \d+\.\d+\.\d+ is ready\n/);
    expect(running.stdout).toMatch(/admin +http:\/\/127\.0\.0\.1:\d+ /);
    expect(running.stdout).toMatch(/daemon +\d+@127\.0\.0\.1 \(embedded/);
    expect(running.stdout).toContain(`npx spread-sidecar user -t ${target}\n`);
    const { exitCode } = await cli(['healthcheck', '-t', target, '-d']);
    expect(exitCode).toBe(0);
    running.stop(told);
    expect(await running.exitCode).toBe(0);
    expect(running.stderr).toBe('');
  });

  it.each([
    ['/nowhere/token', /can't be read/],
    ['/dev/null', /no credential|no token/],
  ])('names a token file that is not right: %s', async (path, sentence) => {
    const nobody = `${await freePort()}@127.0.0.1`;
    const args = [
      'serve',
      '--daemon-addresses',
      nobody,
      '--grpc-listen',
      '127.0.0.1:0',
      '--admin-listen',
      'off',
    ];
    const { exitCode, stderr } = await cli([...args, '--admin-token-file', path]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('says for which daemon it waits, and how to run the embedded one', async () => {
    const nobody = `${await freePort()}@127.0.0.1`;
    const args = [
      'serve',
      '--daemon-addresses',
      nobody,
      '--grpc-listen',
      '127.0.0.1:0',
      '--admin-listen',
      'off',
    ];
    const running = startCli([...args, '--log-format', 'pretty']);
    await until(() => running.stdout.includes('send cats'));
    expect(running.stdout).toContain(`is started and waits for the Spread daemon at ${nobody}\n`);
    expect(running.stdout).toMatch(/daemon {2}.* \(no answer yet: .*ECONNREFUSED/);
    expect(running.stdout).toContain('  npx spread-sidecar serve --embedded-daemon\n');
    // Clients of this machine cannot connect yet, as the banner says.
    const target = /gRPC +(\S+)/.exec(running.stdout)?.[1] as string;
    expect((await cli(['send', 'g', '-m', 'x', '-t', target])).exitCode).toBe(3);
    await until(() => running.stderr.includes('still waiting for the Spread daemon'), { timeoutMs: 15_000 });
    running.stop(told);
    expect(await running.exitCode).toBe(0);
  });

  it('says ready in the banner where a real daemon answers', async () => {
    const { daemonAddress } = await startSidecar();
    const args = ['serve', '--daemon-addresses', daemonAddress, '--grpc-listen', '127.0.0.1:0'];
    const running = startCli([...args, '--admin-listen', 'off', '--log-format', 'pretty']);
    await until(() => running.stdout.includes('send cats'));
    expect(running.stdout).toMatch(/^spread-sidecar \S+ is ready\n/);
    running.stop(told);
    expect(await running.exitCode).toBe(0);
  });
});
