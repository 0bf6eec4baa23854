import { connect as connectHttp2 } from 'node:http2';
import { credentials, status } from '@grpc/grpc-js';
import { MailboxServiceClient } from 'spread-sidecar-proto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Receiving, TestMailbox } from '../../support/sidecars/sidecar-calls.js';
import { startWhole } from '../../support/sidecars/whole-sidecar.js';
import { until } from '../../support/until.js';

/** Longer than every timeout below a minute: 5 s of silence, and the lease of this test. */
const PAUSE_MS = 6500;
const LEASE = { seconds: 5n, nanos: 0 };
const CLIENTS = 10;

/** The test is about elapsed time, so it must wait. */
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a sidecar process that is paused and resumed', () => {
  it('keeps every healthy connection, Receive and mailbox, and fails no call', async () => {
    const started = await startWhole();
    const { process } = started;
    const target = `127.0.0.1:${started.ports.grpc}`;
    const newClient = () => {
      const client = new MailboxServiceClient(target, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      });
      onTestFinished(() => client.close());
      return client;
    };
    const attended: { mailbox: TestMailbox; receiving: Receiving }[] = [];
    for (let i = 0; i < CLIENTS; i++) {
      const client = newClient();
      const mailbox = await TestMailbox.open(client, { lease: LEASE });
      const receiving = mailbox.receive();
      await receiving.attached();
      await mailbox.call('join', { group: 'chat', awaitView: true });
      attended.push({ mailbox, receiving });
    }
    const members = [];
    for (const member of attended)
      members.push({
        ...member,
        unattended: await TestMailbox.open(member.mailbox.client, { lease: LEASE }),
      });
    const quiet = connectHttp2(`http://${target}`);
    let closed = false;
    quiet.on('close', () => {
      closed = true;
    });
    onTestFinished(() => quiet.destroy());
    await until(() => !quiet.connecting, { what: 'a connection without a call' });

    for (let round = 0; round < 2; round++) {
      await Promise.all(members.map(({ unattended }) => unattended.call('poll')));
      process.kill('SIGSTOP');
      // These calls arrive while the process is paused.
      const calls = members.flatMap(({ mailbox, unattended }) => [
        mailbox.send('chat', `round ${round}`),
        unattended.call('poll'),
      ]);
      await pass(PAUSE_MS);
      process.kill('SIGCONT');
      await Promise.all(calls);
    }
    for (const { mailbox, receiving, unattended } of members) {
      await until(() => receiving.texts.length === 2 * CLIENTS || receiving.ended, { what: 'all messages' });
      expect(receiving.ended).toBeUndefined();
      expect(receiving.texts).toHaveLength(2 * CLIENTS);
      await mailbox.call('poll');
      await unattended.call('poll');
    }
    expect(closed).toBe(false);
    // The timeouts still work.
    const forgotten = members[0]!.unattended;
    await until(
      async () => {
        const { body } = await page(started.ports.admin);
        return body.includes('spread_sidecar_mailboxes_ended_total{reason="LEASE_EXPIRED"} 10');
      },
      { what: 'leases expire again', timeoutMs: 30_000 },
    );
    await expect(forgotten.call('poll')).rejects.toMatchObject({ code: status.ABORTED });
  });
}, 60_000);

const page = async (port: number) => ({
  body: await (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
});
