import { AGREED_MESS, type SpreadError } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { until, within } from '../support/until.js';
import { adminPage, expectNothingLeft, startWhole, type WholeSidecar } from '../support/whole-sidecar.js';

const unready = (started: WholeSidecar) =>
  until(async () => (await adminPage(started, '/readyz'))?.status === 503, { what: 'readyz says 503' });

const gone = (started: WholeSidecar) => within(started.process.exited, 'the exit', 10_000);

describe('the shutdown delay', () => {
  it('serves as before, but is not ready, until the client has gone; then it ends early', async () => {
    const started = await startWhole('--shutdown-delay', '60s');
    const mailbox = await started.sidecar.connect({ privateName: 'early' });
    await mailbox.join('g', { awaitView: true });
    started.process.kill('SIGTERM');
    await unready(started);
    expect((await adminPage(started, '/readyz?verbose'))?.body).toContain('the sidecar will shut down');
    expect(await adminPage(started, '/livez')).toMatchObject({ status: 200 });

    // The application finishes its work: also with a mailbox that it has not had yet.
    const late = await started.sidecar.connect({ privateName: 'late' });
    await late.multicast(AGREED_MESS, 'g', 'the last word');
    for (;;) {
      const event = await within(mailbox.receive(), 'the message');
      if (event.kind === 'regular') {
        expect(event.text()).toBe('the last word');
        break;
      }
    }
    await started.sidecar.close();
    expect(await gone(started)).toEqual({ code: 0, signal: null });
    await expectNothingLeft(started);
  });

  it('drains when it is over, whoever is still there', async () => {
    const started = await startWhole('--shutdown-delay', '300ms');
    const mailbox = await started.sidecar.connect();
    const end = mailbox.receive().catch((error: SpreadError) => error);
    started.process.kill('SIGTERM');
    expect(await gone(started)).toEqual({ code: 0, signal: null });
    expect(await end).toMatchObject({ reason: 'DRAINING' });
    expect(started.process.stderr).toMatch(/serving on for the shutdown delay.*draining.*stopped/s);
  });

  it('is cut short by a second signal, with everything else', async () => {
    const started = await startWhole('--shutdown-delay', '60s');
    await started.sidecar.connect();
    started.process.kill('SIGTERM');
    await unready(started);
    started.process.kill('SIGTERM');
    expect(await gone(started)).toEqual({ code: 143, signal: null });
  });
});

describe('POST /quitquitquit', () => {
  const quit = (started: WholeSidecar, headers: Record<string, string> = {}) =>
    adminPage(started, '/quitquitquit', { method: 'POST', headers });

  it('drains as a signal does, answers first, and may be asked again', async () => {
    const started = await startWhole(
      '--admin-quitquitquit',
      '--shutdown-delay',
      '60s',
      '--drain-grace',
      '60s',
    );
    // It reads nothing: the drain waits for it.
    const stuck = await started.sidecar.connect({ maxBufferedEvents: 1, autoReceive: true });
    await stuck.join('stuck', { awaitView: true });
    const payload = Buffer.alloc(100_000);
    for (let sent = 0; sent < 100; sent++) await stuck.multicast(AGREED_MESS, 'stuck', payload);

    expect(await quit(started)).toEqual({ status: 200, body: 'ok\n' });
    await unready(started);
    expect(await quit(started)).toEqual({ status: 200, body: 'ok\n' });
    expect(await started.sidecar.connect().catch((error: SpreadError) => error)).toMatchObject({
      reason: 'DRAINING',
    });
    stuck.detach();
    expect(await gone(started)).toEqual({ code: 0, signal: null });
    await expectNothingLeft(started);
  });

  it('ends the delay after a signal: the application has said that it is done', async () => {
    const started = await startWhole('--admin-quitquitquit', '--shutdown-delay', '60s');
    await started.sidecar.connect();
    started.process.kill('SIGTERM');
    await unready(started);
    expect(await quit(started)).toMatchObject({ status: 200 });
    expect(await gone(started)).toEqual({ code: 0, signal: null });
  });

  it('is not there unless it was asked for', async () => {
    const started = await startWhole();
    expect(await quit(started)).toMatchObject({ status: 404 });
    expect(await adminPage(started, '/quitquitquit')).toMatchObject({ status: 404 });
    expect(await adminPage(started, '/readyz')).toMatchObject({ status: 200 });
  });
});
