import { AGREED_MESS, type Mailbox } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { startCli } from '../support/sidecars/cli.js';
import { startCommand } from '../support/sidecars/command-process.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { until, within } from '../support/until.js';
import { sigterm } from './cli-helpers.js';

/** A sidecar with two members of the group `orders`. */
async function ordersSidecar() {
  const sidecar = await startSecured({});
  const client = sidecar.client();
  const alice = await client.connect({ privateName: 'alice' });
  const bob = await client.connect({ privateName: 'bob' });
  for (const mailbox of [alice, bob]) await mailbox.join('orders', { awaitView: true });
  return { sidecar, alice, bob };
}

/** The members of the next view. */
async function nextMembers(mailbox: Mailbox): Promise<readonly string[]> {
  for (;;) {
    const event = await within(mailbox.receive(), 'a view');
    if (event.kind === 'view') return event.members;
  }
}

describe('tap', () => {
  it('prints views, and messages with their headers', async () => {
    const { sidecar, alice } = await ordersSidecar();
    const run = startCli(['tap', 'orders', '-t', sidecar.targets[0]!, '--user', 'tap', '--show', 'both']);
    await until(() => run.stderr.includes('member of orders as #tap#'));
    const headers = { 'content-type': 'text/plain\u009b2J' };
    await alice.multicast(AGREED_MESS, 'orders', 'new\x1border', 7, { headers });
    await until(() => run.stdout.includes('|new.order|'));
    expect(run.stdout).toMatch(/^\d{4}-\S+Z orders: #tap#\S+ joined; 3 members/m);
    expect(run.stdout).toMatch(/^\d{4}-\S+Z #alice#\S+ to orders \(AGREED, type 7, 9 bytes\)$/m);
    expect(run.stdout).toContain(
      '\n    content-type: text/plain\\x9b2J\n    new\\x1border\n    00000000  6e 65 77 1b',
    );
    run.stop(sigterm);
    expect(await run.exitCode).toBe(0);
  });

  it('is a member that others see, and leaves when it is stopped', async () => {
    const { sidecar, bob } = await ordersSidecar();
    await nextMembers(bob);
    const tap = startCommand('tap', 'orders', '-t', sidecar.targets[0]!, '--user', 'tap');
    expect((await nextMembers(bob)).some((name) => name.startsWith('#tap#'))).toBe(true);
    await until(() => tap.written.stderr.includes('member of orders'), { timeoutMs: 10_000 });
    tap.child.kill('SIGINT');
    expect(await tap.exited()).toBe(0);
    expect((await nextMembers(bob)).some((name) => name.startsWith('#tap#'))).toBe(false);
    expect(tap.written.stderr).not.toContain('error');
  });

  it('prints only messages that match the filters, as JSON', async () => {
    const { sidecar, alice, bob } = await ordersSidecar();
    const run = startCli([
      ...['tap', 'orders', '-t', sidecar.targets[0]!, '--json', '--no-views', '--count', '2'],
      ...['--sender', 'bob', '--type', '1..3', '--type=-1', '--min-size', '3', '--max-size', '5'],
    ]);
    await until(() => run.stderr.includes('member of orders'));
    await alice.multicast(AGREED_MESS, 'orders', 'alice', 1);
    for (const [text, type] of [
      ['no', 1],
      ['larger', 1],
      ['type', 4],
      ['one', 1],
      ['two\u009b', -1],
    ] as const)
      await bob.multicast(AGREED_MESS, 'orders', text, type);
    expect(await run.exitCode).toBe(0);
    const events = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toMatchObject([
      { kind: 'regular', text: 'one', messageType: 1 },
      { kind: 'regular', text: 'two\u009b', messageType: -1 },
    ]);
    expect(run.stdout).not.toContain('\u009b');
  });

  it('says in its help that other members see it', async () => {
    const run = startCli(['tap', '--help']);
    expect(await run.exitCode).toBe(0);
    expect(run.stdout.replaceAll(/\s+/g, ' ')).toContain(
      'other members see its private group in their views',
    );
  });
});
