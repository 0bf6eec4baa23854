import { kill } from 'node:process';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { until } from '../support/until.js';
import { SpreadPods } from './spread-pods.js';

const SIZE = 4;

describe.skipIf(!isAvailable('spread-cluster'))('real daemons in pods whose addresses change', () => {
  let pods: SpreadPods;
  beforeAll(async () => {
    pods = await SpreadPods.start(SIZE);
  }, 60_000);
  afterAll(() => pods?.stop());

  it('a replaced pod joins the ring again, and the other daemons keep their clients', async () => {
    const closed: number[] = [];
    const sessions = await Promise.all(
      [0, 1, 2].map(async (i) => {
        const session = await pods.connect(i);
        session.start({ onMessage: () => {}, onClose: () => closed.push(i) });
        return session;
      }),
    );
    const before = [0, 1, 2].map((i) => pods.daemonId(i));
    await pods.replace(3);
    await pods.ringOf(SIZE, 15_000);
    expect([0, 1, 2].map((i) => pods.daemonId(i))).toEqual(before);
    expect(closed).toEqual([]);
    await Promise.all(sessions.map((session) => session.disconnect()));
  }, 60_000);

  it('a daemon survives two ends of its addresses process, and follows the next change', async () => {
    const daemon = pods.daemonId(0);
    for (let round = 0; round < 2; round++) {
      const addresses = pods.addressesId(0);
      kill(addresses, 'SIGKILL');
      await until(() => (![0, addresses].includes(pods.addressesId(0)) ? true : undefined), {
        timeoutMs: 10_000,
        what: 'another addresses process',
      });
    }
    await pods.replace(1);
    await pods.ringOf(SIZE, 20_000);
    expect(pods.daemonId(0)).toBe(daemon);
  }, 60_000);

  it('the supervisor restarts a daemon that has crashed', async () => {
    const crashed = pods.daemonId(2);
    kill(crashed, 'SIGKILL');
    await until(() => (![0, crashed].includes(pods.daemonId(2)) ? true : undefined), {
      timeoutMs: 5000,
      what: 'another daemon process',
    });
    await pods.ringOf(SIZE, 20_000);
  }, 60_000);
});

describe.skipIf(!isAvailable('spread-cluster'))(
  'real daemons in dual-stack pods whose first address is IPv6',
  () => {
    it('form a ring over IPv4, and their pods are ready while they accept clients', async () => {
      const pods = await SpreadPods.start(2, { isDualStack: true });
      onTestFinished(() => pods.stop());
      const ready = (expected: boolean) =>
        until(async () => (await pods.isProbedReady(1)) === expected, {
          timeoutMs: 20_000,
          what: `a probe that says ${expected}`,
        });
      await ready(true);
      kill(pods.daemonId(1), 'SIGKILL');
      await ready(false);
      await ready(true);
      await pods.ringOf(2);
    }, 90_000);
  },
);
