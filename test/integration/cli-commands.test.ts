import { describe, expect, it } from 'vitest';
import { cli, startCli } from '../support/sidecars/cli.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { freePort } from '../support/sidecars/sidecar-process.js';
import { until } from '../support/until.js';
import { sigterm } from './cli-helpers.js';

describe('send and receive', () => {
  it('transfer messages as text, JSON and bytes', async () => {
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

  it('transfer headers with a message and with each line', async () => {
    const { target } = await startSidecar();
    const start = (...args: string[]) =>
      startCli(['receive', 'cats', '--no-views', '-t', target, '-c', '3', ...args]);
    const receivers = [start(), start('--json')];
    await until(() => receivers.every(({ stderr }) => stderr.includes('receiving as #')));
    const send = ['send', 'cats', '-t', target, '-q'];
    const headers = ['--header', 'content-type=text/plain', '--header', 'query=a=b', '--header', 'empty='];
    await cli([...send, '-m', 'one', ...headers]);
    await cli([...send, '--lines', '--header', 'a=b'], { input: 'two\nthree\n' });
    expect(await Promise.all(receivers.map(({ exitCode }) => exitCode))).toEqual([0, 0]);
    const [text, json] = receivers.map(({ stdout }) => stdout.trimEnd().split('\n'));
    expect(text?.[0]).toContain('3 bytes) [content-type: text/plain, empty: , query: a=b] one');
    expect(json?.map((line) => JSON.parse(line).headers)).toEqual([
      { 'content-type': 'text/plain', empty: '', query: 'a=b' },
      { a: 'b' },
      { a: 'b' },
    ]);
  });

  it.each([
    [['--header', 'content-type'], 2, 'name=value'],
    [['--header', '=value'], 2, 'name=value'],
    [['--header', 'a=1', '--header', 'a=2'], 2, 'is already set'],
    [['--header', 'Upper=1'], undefined, 'header name "Upper" is not allowed'],
  ])('send rejects %j', async (args, code, says) => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await cli(['send', 'cats', '-m', 'x', '-t', target, ...args]);
    expect(stderr).toContain(says);
    expect(exitCode).not.toBe(0);
    if (code !== undefined) expect(exitCode).toBe(code);
  });

  it('receive without a group receives messages to the private group', async () => {
    const { target } = await startSidecar();
    const receiver = startCli(['receive', '-u', 'me', '-t', target]);
    await until(() => receiver.stderr.includes('receiving as #me#localhost from its private group'));
    await cli(['send', '#me#localhost', '-m', 'psst', '-t', target]);
    expect(await receiver.exitCode).toBe(0);
    expect(receiver.stdout).toMatch(/#localhost to #me#localhost .* psst\n$/);
  });

  it('receive ends after an idle time, with a separate exit code', async () => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await cli(['receive', 'cats', '--wait', '50ms', '--no-views', '-t', target]);
    expect(exitCode).toBe(6);
    expect(stderr).toContain('error: nothing arrived for 50 ms');
  });

  it('receive --follow ends gracefully, and disconnects', async () => {
    const { target, registry } = await startSidecar();
    const receiver = startCli(['receive', 'cats', '--follow', '-t', target]);
    await until(() => receiver.stdout.includes('cats: '));
    receiver.stop(sigterm);
    expect(await receiver.exitCode).toBe(0);
    expect(registry.list({ pageSize: 0, pageToken: '' }).mailboxes).toEqual([]);
  });

  it('receive with a message count fails when it is stopped early', async () => {
    const { target } = await startSidecar();
    const receiver = startCli(['receive', 'cats', '-t', target]);
    await until(() => receiver.stdout.includes('cats: '));
    receiver.stop(sigterm);
    expect(await receiver.exitCode).toBe(143);
  });

  it('receive reports why the mailbox ended, after the events before', async () => {
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
    [['send', 'g', '--lines'], 4, /rejected messages: 1; first error: .*143/],
  ])('%j is rejected with exit code %i', async (args, exitCode, sentence) => {
    const { target } = await startSidecar();
    const result = await cli([...args, '-t', target], { input: 'x'.repeat(143_120) });
    expect(result.stderr).toMatch(sentence);
    expect(result.exitCode).toBe(exitCode);
  });

  it('send reads no more of an oversized message than needed', async () => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await cli(['send', 'g', '-t', target], { input: Buffer.alloc(143_120) });
    expect(exitCode).toBe(2);
    expect(stderr).toContain('the message on standard input has more than 143119 bytes');
  });

  it.each([['send', 'g', '-m', 'x'], ['receive', 'g'], ['user'], ['flood', '-q']])(
    '%s reports that no sidecar is reachable',
    async (...args) => {
      const target = `127.0.0.1:${await freePort()}`;
      const { exitCode, stderr } = await cli([...args, '-t', target]);
      expect(exitCode).toBe(3);
      expect(stderr).toContain(`the sidecar at ${target} cannot be reached: connection refused`);
    },
  );
});

describe('user', () => {
  it('of two terminals shows the views and messages of the other', async () => {
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

  it('on a pipe receives its own messages before it ends', async () => {
    const { target } = await startSidecar();
    const { stdout, exitCode } = await cli(['user', '-t', target], { input: 'j cats\ns cats\nhello\n' });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/to cats \(SAFE, type 1, 5 bytes\) hello\n$/);
  });
});
