import { Worker } from 'node:worker_threads';
import type { Attack, Figures, Target } from './attack.js';
import type { AttackerData } from './attacker-thread.js';

/** Time that an attacker gets to close its connections. Unit: ms. */
const CLOSE_MS = 10_000;

/** A thread of Node 20 does not use the loader of its process. */
const THREAD = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./attacker-thread.ts', import.meta.url).href)});
});`;

/** Runs the attack in a thread of its own, so that its work does not delay the well-behaved client's measurements. */
export async function runAttacker(attack: Attack, target: Target, short: boolean): Promise<Figures> {
  const seconds = short ? attack.seconds.short : attack.seconds.full;
  const workerData: AttackerData = { name: attack.name, target, seconds, short };
  const worker = new Worker(THREAD, { eval: true, workerData, execArgv: [] });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Figures>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the attacker ${attack.name} did not end in time`)),
        seconds * 1000 + CLOSE_MS,
      );
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error(`the attacker ${attack.name} ended without figures`)));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
