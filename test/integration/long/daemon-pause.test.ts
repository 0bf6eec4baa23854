import { describe, expect, it, onTestFinished } from 'vitest';
import { DaemonProcess } from '../../support/daemons/daemon-process.js';
import { RealSpread } from '../../support/daemons/real-spread.js';
import { FaultProxy } from '../../support/network/fault-proxy.js';
import { freePort } from '../../support/sidecars/sidecar-process.js';
import { adminPage, startWholeAt, type WholeSidecar } from '../../support/sidecars/whole-sidecar.js';
import { until } from '../../support/until.js';

const statusOf = async (started: WholeSidecar) => (await adminPage(started, '/readyz'))?.status;

/** docs/operations.md states a limit of 15 s. */
const UNREADY_MS = 15_000 + 5000;

const metric = async (started: WholeSidecar, name: string): Promise<number | undefined> => {
  const body = (await adminPage(started, '/metrics'))?.body ?? '';
  const value = new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'm').exec(body)?.[1];
  return value === undefined ? undefined : Number(value);
};

async function expectNoticed(started: WholeSidecar, pause: () => void, resume: () => void) {
  await until(async () => (await metric(started, 'spread_sidecar_daemon_round_trip_seconds')) !== undefined, {
    what: 'the first round trip',
  });
  expect(await metric(started, 'spread_sidecar_daemon_round_trip_seconds')).toBeLessThan(5);
  pause();
  await until(async () => (await statusOf(started)) === 503, {
    what: 'readyz says 503',
    timeoutMs: UNREADY_MS,
  });
  expect((await adminPage(started, '/readyz?verbose'))?.body).toContain(
    'did not return a message of the sidecar',
  );
  expect(await metric(started, 'spread_sidecar_daemon_connection_up')).toBe(0);
  expect((await adminPage(started, '/livez'))?.status).toBe(200);
  resume();
  await until(async () => (await statusOf(started)) === 200, { what: 'readyz says 200', timeoutMs: 30_000 });
}

describe('readiness', () => {
  it('detects an embedded daemon that is paused and resumed', async () => {
    const daemon = new DaemonProcess(await freePort());
    onTestFinished(() => daemon.kill());
    await daemon.start();
    const started = await startWholeAt(daemon.address);
    await expectNoticed(
      started,
      () => daemon.signal('SIGSTOP'),
      () => daemon.signal('SIGCONT'),
    );
  }, 90_000);

  it('detects a stalled connection to the daemon', async () => {
    const daemon = new DaemonProcess(await freePort());
    onTestFinished(() => daemon.kill());
    await daemon.start();
    const link = await FaultProxy.start(daemon.port);
    onTestFinished(() => link.stop());
    const started = await startWholeAt(`${link.port}@127.0.0.1`);
    await expectNoticed(
      started,
      () => {
        link.silent = true;
      },
      () => {
        link.silent = false;
      },
    );
  }, 90_000);

  it.skipIf(!process.env.SPREAD_HOME)(
    'detects that a real daemon is paused, and that it continues',
    async () => {
      const spread = await RealSpread.start();
      onTestFinished(() => spread.stop());
      const started = await startWholeAt(`${spread.port}@127.0.0.1`);
      await expectNoticed(
        started,
        () => spread.signal('SIGSTOP'),
        () => spread.signal('SIGCONT'),
      );
    },
    90_000,
  );
});
