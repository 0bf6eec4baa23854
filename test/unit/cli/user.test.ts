import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { Interruption } from '../../../server/src/cli/terminal/interruption.js';
import { fakeService } from '../../support/clients/client.js';
import { cli, startCli } from '../../support/sidecars/cli.js';
import { until } from '../../support/until.js';

async function user(
  input: string,
  prepare: (service: Awaited<ReturnType<typeof fakeService>>) => void = () => {},
) {
  const service = await fakeService();
  prepare(service);
  return { service, ...(await cli(['user', '-t', service.target], { input })) };
}

describe('user on a pipe', () => {
  it('executes its input, including responses to its questions, and disconnects', async () => {
    const { service, exitCode, stdout, stderr } = await user(
      'j cats dogs\ns cats\nhello\nm cats\none\ntwo\n\nsend cats birds\nto both\nl dogs\nq\nj never\n',
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain('connected to 4803@localhost (Spread 5.0.1) as #me#fake\n');
    expect(stdout).toContain('cats: #me#fake joined; 1 member');
    expect(stdout).toContain('dogs: #me#fake joined; 1 member');
    expect(stdout).toMatch(/ to cats \(.*\) hello\n/);
    expect(stdout).toMatch(/ to cats \(.*\) one\ntwo\n/);
    expect(stdout).toMatch(/ to cats, birds \(.*\) to both\n/);
    expect(stdout).toContain('left dogs');
    expect(stdout).not.toContain('never');
    expect(service.mailboxes.size).toBe(0);
    const sent = service.calls.filter(({ method }) => method === 'multicast').map(({ request }) => request);
    expect(sent.slice(0, 3)).toMatchObject([
      { message: { serviceType: 6, messageType: 1, groups: ['cats'], payload: Buffer.from('hello') } },
      { message: { serviceType: 6, messageType: 1, groups: ['cats'], payload: Buffer.from('one\ntwo\n') } },
      { message: { groups: ['cats', 'birds'] } },
    ]);
  });

  it('sends the text after a colon, including spaces', async () => {
    const { service, stdout } = await user(
      'j cats\nsend cats: hello  there: you\ns cats dogs: to both\ns a:b:\nx\n',
    );
    const sent = service.calls.filter(({ method }) => method === 'multicast').map(({ request }) => request);
    expect(sent.slice(0, 3)).toMatchObject([
      { message: { groups: ['cats'], payload: Buffer.from('hello  there: you') } },
      { message: { groups: ['cats', 'dogs'], payload: Buffer.from('to both') } },
      { message: { groups: ['a:b'], payload: Buffer.from('x') } },
    ]);
    expect(stdout).not.toContain('members of cats');
  });

  it('warns once of a group with unknown members, and how to send a text', async () => {
    const { stdout } = await user(
      'j cats\ns cats hello\nx\ns cats hello\ny\ns #bob#fake: psst\nl cats\ns cats: z\n',
    );
    expect(stdout.match(/warning:.*/g)).toEqual([
      'warning: no members of hello are known, because you have not joined it; to send a text to one group, type: send <group>: <text>',
      'warning: no members of cats are known, because you have not joined it',
    ]);
  });

  it('ends at the end of its input, also in a question', async () => {
    expect((await user('')).exitCode).toBe(0);
    const { exitCode, service } = await user('s cats');
    expect(exitCode).toBe(0);
    expect(service.calls.filter(({ method }) => method === 'multicast')).toHaveLength(1); // the message to the mailbox itself
  });

  it('sends with the requested service type', async () => {
    const { service, stdout } = await user(
      'service fifo\ntype -7\ndiscard on\ns g\nx\ndiscard off\ns g\ny\n',
    );
    const sent = service.calls.filter(({ method }) => method === 'multicast').map(({ request }) => request);
    expect(sent.slice(0, 2)).toMatchObject([
      { message: { serviceType: 3, messageType: -7, selfDiscard: true } },
      { message: { serviceType: 3, messageType: -7, selfDiscard: false } },
    ]);
    expect(stdout).toContain(
      'messages are sent with service type FIFO, message type -7, without a copy to yourself',
    );
  });

  it('sends bursts of ten, with a size that is remembered', async () => {
    const { service, stdout } = await user('b g\n100\nb g\n\n');
    const sent = service.calls.filter(({ method }) => method === 'multicast').slice(0, 20);
    expect(sent).toHaveLength(20);
    for (const { request } of sent)
      expect(request).toMatchObject({
        message: { serviceType: 3, messageType: 2, payload: { length: 100 } },
      });
    expect(stdout).toContain('sent 10 messages of 100 bytes (20 in all)');
  });

  it('prints views, its state and queued events', async () => {
    const { stdout } = await user('v g\ni\np\nh\n');
    expect(stdout).toContain('g: #me#fake joined; 1 member (view 7 8 9)\n  * #me#fake\n  (in transition');
    expect(stdout).toContain('private group #me#fake');
    expect(stdout).toContain('no events are queued');
    expect(stdout).toContain('j, join <group>…');
  });

  it('keeps received events, and prints them one by one or automatically', async () => {
    const { stdout } = await user('d\nj a b c\nr\ni\ne\nr\n');
    const at = (text: string) => stdout.indexOf(text);
    expect(at('receiving is stopped')).toBeGreaterThan(0);
    expect(at('a: #me#fake joined')).toBeLessThan(at('private group'));
    expect(at('b: #me#fake joined')).toBeGreaterThan(at('private group'));
    expect(stdout).toContain('receiving is not stopped');
  });

  it.each([
    ['frobnicate', "there is no command 'frobnicate'"],
    ['j', 'a group is missing: write one or more groups after the command'],
    ['s', 'a group is missing: write one or more groups after the command'],
    ['service quick', 'service must be one of unreliable'],
    ['type 99999', 'type must be a whole number from -32768'],
    ['discard maybe', 'discard must be on or off; got "maybe"'],
    ['b g\nhuge', 'the size must be a whole number from 0 to 143119'],
  ])('continues after a mistake: %s', async (line, sentence) => {
    const { exitCode, stdout } = await user(`${line}\nj after\n`);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(sentence);
    expect(stdout).toContain('after: #me#fake joined');
  });

  it('continues after a rejection', async () => {
    const { exitCode, stdout } = await user('j bad\nj good\n', (service) => {
      const metadata = { spread_code: '-14' };
      const fault = {
        code: status.INVALID_ARGUMENT,
        reason: 'ILLEGAL_GROUP',
        domain: 'spread.org',
        metadata,
      };
      service.fail('join', { ...fault, message: 'no such name' });
    });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('no such name (ILLEGAL_GROUP, -14)');
    expect(stdout).toContain('good: #me#fake joined');
  });

  it('uses a free name only if no name is given', async () => {
    const { service } = await user('');
    expect(service.calls[0]?.request).toMatchObject({ privateName: 'user', onNameConflict: 2 });
    await cli(['user', '-t', service.target, '-u', 'bob', '-s', '4803@there']);
    const second = service.calls.filter(({ method }) => method === 'connect')[1];
    expect(second?.request).toMatchObject({ privateName: 'bob', onNameConflict: 0, daemon: '4803@there' });
  });

  it('ends with the mailbox while it waits for input', async () => {
    const service = await fakeService();
    const running = startCli(['user', '-t', service.target]);
    await until(() => service.mailboxes.size === 1 && service.mailbox.attached);
    service.mailbox.end = {
      code: status.UNAVAILABLE,
      reason: 'CONNECTION_CLOSED',
      domain: 'spread.org',
      message: 'gone',
    };
    service.mailbox.pump();
    expect(await running.exitCode).toBe(5);
    expect(running.stderr).toContain('error: gone (CONNECTION_CLOSED, -8)');
  });

  it('disconnects when it is stopped', async () => {
    const service = await fakeService();
    const running = startCli(['user', '-t', service.target]);
    running.stdin.write('j cats\n');
    await until(() => running.stdout.includes('cats: #me#fake joined'));
    running.stop(new Interruption('SIGTERM', 143));
    expect(await running.exitCode).toBe(0);
    expect(service.mailboxes.size).toBe(0);
  });
});

describe('user at a terminal', () => {
  it('has a prompt, completion, and events above the edited line', async () => {
    const service = await fakeService();
    const running = startCli(['user', '-t', service.target], { terminal: true });
    await until(() => running.stdout.includes('user> '));
    running.stdin.write('jo\t');
    await until(() => running.stdout.includes('in '));
    running.stdin.write('cats\r');
    await until(() => running.stdout.includes('#me#fake joined'));
    running.stdin.write('s c\t');
    await until(() => running.stdout.includes('ats'));
    running.stdin.write('\r');
    await until(() => running.stdout.includes('message: '));
    running.stdin.write('hello\r');
    await until(() => running.stdout.includes(') \u001b') || running.stdout.includes('hello\n'));
    running.stdin.write('half a li');
    await until(() => running.stdout.includes('half a li'));
    service.mailbox.message('from afar');
    await until(() => /from afar\n.*user> .*half a li/.test(running.stdout));
    running.stdin.write('\u0003');
    expect(await running.exitCode).toBe(0);
    expect(service.mailboxes.size).toBe(0);
    const sent = service.calls.filter(({ method }) => method === 'multicast').map(({ request }) => request);
    expect(sent).toMatchObject([{ message: { groups: ['cats'], payload: Buffer.from('hello') } }]);
  });
});
