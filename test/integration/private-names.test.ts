import { SpreadSidecar } from 'spread-sidecar-client';
import { expect, it, onTestFinished } from 'vitest';
import { adminPage, startWhole, startWholeAt } from '../support/sidecars/whole-sidecar.js';

const SEED = '0f8fad5b-d9cb-469f-a165-70867728950e';

it('a sidecar with a seed names its mailboxes after it, logs that, and avoids names in use', async () => {
  const first = await startWhole('--mailbox-private-name-seed', SEED);
  const page = await adminPage(first, '/metrics');
  const prefix = new RegExp(
    `^spread_sidecar_private_name_info\\{seed="${SEED}",prefix="([^"]{7})"\\} 1$`,
    'm',
  ).exec(page?.body ?? '')?.[1];
  expect(prefix).toBeDefined();
  expect(first.process.stderr).toContain(`"prefix":"${prefix}"`);
  const [a, b] = [await first.sidecar.connect(), await first.sidecar.connect({ reconnect: true })];
  expect([a.privateGroup, b.privateGroup]).toEqual([`#${prefix}0#localhost`, `#${prefix}1#localhost`]);
  const named = await first.sidecar.connect({ privateName: 'alice' });
  expect(named.privateGroup).toBe('#alice#localhost');

  // The same pod after a restart of its container, while the daemon still has the old sessions.
  const again = await startWholeAt(`${first.ports.daemon}@127.0.0.1`, '--mailbox-private-name-seed', SEED);
  const sidecar = new SpreadSidecar({ target: `127.0.0.1:${again.ports.grpc}` });
  onTestFinished(() => sidecar.close());
  expect((await sidecar.connect()).privateGroup).toBe(`#${prefix}02#localhost`);
});

it('a sidecar without a seed uses names that the daemon chooses, and logs none', async () => {
  const started = await startWhole();
  expect((await adminPage(started, '/metrics'))?.body).not.toMatch(/^spread_sidecar_private_name_info\{/m);
  expect((await started.sidecar.connect()).privateGroup).toMatch(/^#[^#]+#localhost$/);
});
