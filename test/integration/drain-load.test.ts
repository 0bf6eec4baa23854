import { expect, it, onTestFinished } from 'vitest';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { DrainLoad } from '../support/sidecars/drain-load.js';
import { startWholeAt } from '../support/sidecars/whole-sidecar.js';
import { until, within } from '../support/until.js';

it('a drain under load delivers accepted messages, and every receiver gets every event and the reason', async () => {
  const daemon = await startEmbeddedDaemon({ maxSessionMessages: 1_000_000 });
  const address = `${daemon.tcp.port}@127.0.0.1`;
  const { process, ports } = await startWholeAt(address);
  const load = await DrainLoad.start({
    target: `127.0.0.1:${ports.grpc}`,
    daemon: address,
    unarySenders: 2,
    streamSenders: 2,
    receivers: 2,
    payloadBytes: 500,
    window: 500,
  });
  onTestFinished(() => load.close());
  await until(() => load.observed > 5000, { timeoutMs: 15_000, what: 'traffic' });
  process.kill('SIGTERM');
  expect(await within(process.exited, 'the exit', 15_000)).toEqual({ code: 0, signal: null });
  const verdict = await load.finish();
  expect(verdict.problems).toEqual([]);
  expect(verdict.accepted).toBeGreaterThan(5000);
  expect(verdict.reasons).toContain('DRAINING');
}, 60_000);
