import { statSync } from 'node:fs';
import { AGREED_MESS, type Mailbox, SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { adminPage, expectNothingLeft, startWhole } from '../support/sidecars/whole-sidecar.js';
import { until, within } from '../support/until.js';

/** Multicasts to the group until the mailbox ends. Resolves to the number of confirmed messages. */
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
  it('drains at SIGTERM under traffic: streams get the received events and the reason, and nothing remains', async () => {
    const started = await startWhole();
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

  it('disconnects from its daemon at SIGTERM, and health reports the change', async () => {
    const started = await startWhole('--drain-grace', '5s');
    const mailbox = await started.sidecar.connect({ privateName: 'idle' });
    await mailbox.join('quiet', { awaitView: true });
    expect(await adminPage(started, '/livez')).toMatchObject({ status: 200 });
    started.process.kill('SIGTERM');
    expect(await within(started.process.exited, 'exit after SIGTERM')).toEqual({ code: 0, signal: null });
    await expectNothingLeft(started);
  });

  it('exits immediately at a second signal', async () => {
    // A receiver that reads nothing delays the drain for the whole grace period.
    const started = await startWhole('--drain-grace', '60s');
    const mailbox = await started.sidecar.connect({
      privateName: 'stuck',
      maxBufferedEvents: 1,
      autoReceive: true,
    });
    await mailbox.join('stuck', { awaitView: true });
    const payload = Buffer.alloc(100_000);
    for (let sent = 0; sent < 100; sent++) await mailbox.multicast(AGREED_MESS, 'stuck', payload);
    started.process.kill('SIGTERM');
    await until(async () => (await adminPage(started, '/readyz'))?.status === 503, {
      what: 'the drain has begun',
    });
    started.process.kill('SIGTERM');
    const { code } = await within(started.process.exited, 'exit at the second signal', 3000);
    expect(code).toBe(143);
  });

  it('starts with the socket files of a killed sidecar, and serves on them', async () => {
    const started = await startWhole();
    started.process.kill('SIGKILL');
    await started.process.exited;
    expect(statSync(started.sockets.grpc).isSocket()).toBe(true);
    expect(statSync(started.sockets.daemon!).isSocket()).toBe(true);

    const again = await started.again();
    const sidecar = new SpreadSidecar({ target: `unix:${started.sockets.grpc}` });
    onTestFinished(() => sidecar.close({ keepMailboxes: true }));
    const mailbox = await sidecar.connect({ privateName: 'again' });
    expect(mailbox.privateGroup).toBe('#again#localhost');
    await mailbox.disconnect();
    again.kill('SIGTERM');
    expect((await again.exited).code).toBe(0);
    await expectNothingLeft(started);
  });

  it('names a port in use and what to do, and does not affect the other sidecar', async () => {
    const started = await startWhole();
    const second = started.spawnAgain();
    const { code } = await within(second.exited, 'exit of the second sidecar');
    expect(code).toBe(7);
    expect(second.stderr).toMatch(/127\.0\.0\.1.*(stop|choose|configure) /s);
    expect(await started.sidecar.version()).toMatchObject({ embeddedDaemon: true });
  });
});
