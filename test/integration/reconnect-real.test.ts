import { expect, it, onTestFinished } from 'vitest';
import { RealSpread } from '../support/daemons/real-spread.js';
import { attachReceiver, MailboxBench, outgoing } from '../support/mailboxes/mailbox-bench.js';
import { isAvailable } from '../support/requirements.mjs';
import { until, within } from '../support/until.js';

it.skipIf(!isAvailable('spread-home'))(
  'a mailbox outlives a genuine daemon that is killed',
  async () => {
    const spread = await RealSpread.start();
    onTestFinished(() => spread.stop());
    const bench = new MailboxBench(`${spread.port}@127.0.0.1`);
    const policy = { onNameLoss: 'END', queueMulticasts: true } as const;
    const alice = await bench.connect('alice', { reconnect: policy });
    const receiver = attachReceiver(alice);
    await alice.join('room', { awaitView: true });
    await spread.kill();
    await until(() => alice.state === 'RECONNECTING');
    const sending = alice.multicast(outgoing('room', 'waits'));
    await spread.startAgain();
    // The daemon must order messages again, so the mailbox has two seconds.
    await within(sending, 'the message is sent', 2_000);
    await until(() => receiver.events.at(-1)?.what === 'waits', { timeoutMs: 10_000 });
    expect(receiver.events.map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [1, 'view'],
      [2, 'connectionLost'],
      [3, 'connectionRestored'],
      [4, 'view'],
      [5, 'regular'],
    ]);
    expect(alice.privateGroup).toBe('#alice#localhost');
  },
  60_000,
);
