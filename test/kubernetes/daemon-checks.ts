import { strict as assert } from 'node:assert';
import { type Check, withDaemons } from './check.js';
import type { Daemons } from './daemons.js';

/** Waits for the end of a rollout and for the whole ring. Returns the seconds since `began`. */
async function rolledOut(daemons: Daemons, name: string, began: number): Promise<number> {
  daemons.release.kubectl('rollout', 'status', `statefulset/${name}`, '--timeout', '600s');
  return daemons.complete(began, 600_000);
}

export const DAEMON_CHECKS: readonly Check[] = [
  {
    name: 'pod-replacement',
    text: 'after a pod of 5 was replaced, the ring is complete within 10 s, and no other daemon was restarted',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'swap', 5, async (daemons) => {
        for (const pod of ['swap-4', 'swap-0']) {
          const others = daemons
            .pods()
            .map(({ metadata }) => metadata.name)
            .filter((one) => one !== pod);
          const before = others.map((one) => daemons.processId(one));
          const began = Date.now();
          daemons.release.kubectl('delete', 'pod', pod, '--wait=false');
          const seconds = await daemons.complete(began);
          print(`${pod} replaced: ring of 5 after ${seconds.toFixed(1)} s`);
          assert.deepEqual(
            others.map((one) => daemons.processId(one)),
            before,
          );
          assert.equal(daemons.restarts(), 0);
          assert.ok(seconds <= 10, `${seconds} s`);
        }
      }),
  },
  {
    name: 'rollout',
    text: 'rollout of 8 daemons within 60 s, by a restart and by a changed extraConf, without restarts by the kubelet',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'roll', 8, async (daemons) => {
        let began = Date.now();
        daemons.release.kubectl('rollout', 'restart', 'statefulset/roll');
        const restart = await rolledOut(daemons, 'roll', began);
        print(`rollout restart of 8: ${restart.toFixed(1)} s`);
        began = Date.now();
        daemons.release.upgrade({ 'daemon.extraConf': 'MaxSessionMessages = 5000' });
        const upgrade = await rolledOut(daemons, 'roll', began);
        print(`helm upgrade of 8 with another extraConf: ${upgrade.toFixed(1)} s`);
        assert.equal(daemons.restarts(), 0);
        assert.ok(Math.max(restart, upgrade) <= 60, `${restart} s, ${upgrade} s`);
      }),
  },
  {
    name: 'scaling',
    text: 'scaling from 3 to 4 daemons, without restarts by the kubelet',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'grow', 3, async (daemons) => {
        const began = Date.now();
        daemons.scale(4);
        const seconds = await rolledOut(daemons, 'grow', began);
        print(`3 to 4: ring of 4 after ${seconds.toFixed(1)} s`);
        assert.equal(daemons.restarts(), 0);
        assert.ok(seconds <= 60, `${seconds} s`);
      }),
  },
  {
    name: 'addresses-death',
    text: 'kill -9 of the addresses process, twice, does not affect the daemon or the readiness of its pod',
    needsSpread: true,
    run: (node, print) =>
      withDaemons(node, 'kill', 3, async (daemons) => {
        const before = daemons.processId('kill-0');
        const script =
          'cd /proc; for p in [0-9]*; do read -r c <$p/comm; case $c in node*|MainThread) kill -9 $p;; esac; done; true';
        for (let round = 0; round < 2; round++) {
          daemons.release.kubectl('exec', 'kill-0', '-c', 'addresses', '--', 'sh', '-c', script);
          const until = Date.now() + 5000;
          while (Date.now() < until) {
            const [pod] = daemons.pods();
            assert.ok(
              pod!.status.conditions!.every(({ type, status }) => type !== 'Ready' || status === 'True'),
            );
            await new Promise((resolve) => setTimeout(resolve, 500));
          }
        }
        await daemons.complete(Date.now(), 30_000);
        assert.equal(daemons.processId('kill-0'), before);
        assert.equal(daemons.restarts(), 0);
        print('the daemon and the readiness of its pod are unchanged');
      }),
  },
];
