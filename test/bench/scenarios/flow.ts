import { join } from 'node:path';
import { RoleProcess } from '../role-process.js';
import type { ReceiveOrder } from '../roles/order.js';
import type { WarmUpRule } from '../roles/warm-up.js';
import type { Measurement } from '../scenario.js';
import type { Stage } from '../stage.js';
import type { Opened } from '../subjects.js';
import { measuredBy } from './measured.js';

const MOST_MESSAGES = 8192;
const LEAST_MESSAGES = 64;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Largest number of messages that our sender is ahead of its slowest receiver. Large enough that no subject waits
 * for confirmations.
 */
export function windowOf(size: number, receivers = 1): number {
  const most = Math.min(MOST_MESSAGES, Math.floor(MOST_BYTES / (size * Math.sqrt(receivers))));
  return Math.max(LEAST_MESSAGES, most);
}

export interface Flow {
  readonly size: number;
  readonly warmUp: WarmUpRule;
  readonly count: number;
  readonly topics: readonly string[];
  readonly each: ReceiveOrder['each'];
}

/**
 * One sending process, one receiving process with a connection for each topic, and the servers. The sender sends
 * until the receivers have counted all messages of the measured part.
 */
export async function peerFlow(
  stage: Stage,
  { peer, servers }: Extract<Opened, { kind: 'peer' }>,
  flow: Flow,
): Promise<Measurement & { readonly seconds: number }> {
  const { size, warmUp, count, topics, each } = flow;
  const copies = each === 'all' ? topics.length : 1;
  const window = windowOf(size, copies);
  const creditPath = join(stage.folder, `${stage.freshName('credit')}.sock`);
  const receiver = await RoleProcess.start(stage.node, {
    ...{ job: 'receive', peer, topics, each, creditPath, creditEvery: Math.ceil(window / 8) },
    measured: { warmUp: { ...warmUp, window: warmUp.window * copies }, count: count * copies },
  });
  try {
    const sender = await RoleProcess.start(stage.node, {
      ...{ job: 'send', peer, size, window, creditPath },
      topics: each === 'all' ? topics.slice(0, 1) : topics,
    });
    try {
      receiver.go();
      sender.go();
      const processes = [
        { name: 'sender', pid: sender.pid },
        { name: 'receiver', pid: receiver.pid },
        ...servers,
      ];
      const measured = await Promise.race([
        measuredBy(receiver, processes, count, copies),
        // The sender has no answer before it is stopped.
        sender.answer().then(() => Promise.reject(new Error('the sender stopped before the end'))),
      ]);
      await sender.stop();
      await receiver.stop();
      return measured;
    } finally {
      await sender.end();
    }
  } finally {
    await receiver.end();
  }
}
