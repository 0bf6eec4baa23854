// The entry point of the attacker's thread: reports that it is ready, waits for the beginning, runs one attack and reports its figures.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import type { Target } from './attack.js';
import { ATTACKS } from './attacks/index.js';

/** What the thread is started with. */
export interface AttackerData {
  readonly name: string;
  readonly target: Target;
  readonly seconds: number;
  readonly short: boolean;
}

const { name, target, seconds, short } = workerData as AttackerData;
const attack = ATTACKS.find((one) => one.name === name);
if (attack === undefined) throw new Error(`there is no attack named ${name}`);

if (parentPort === null) throw new Error('this file is the entry point of a thread');

const begin = once(parentPort, 'message');
parentPort.postMessage('ready');
await begin;

const endsAt = performance.now() + seconds * 1000;
const over = new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000));
const figures = await attack.run(target, {
  short,
  over,
  get isOver() {
    return performance.now() >= endsAt;
  },
});
parentPort.postMessage(figures);
// Closes whatever the attack left open.
process.exit();
