import { join } from 'node:path';
import { LoadMeter, loadFigures } from '../load.js';
import { RoleProcess } from '../role-process.js';
import type { ReceiveOrder } from '../roles/order.js';
import type { Measurement } from '../scenario.js';
import type { Stage } from '../stage.js';
import type { Opened } from '../subjects.js';

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
  /** Number of messages before the clock starts. */
  readonly warmUp: number;
  readonly count: number;
  readonly topics: readonly string[];
  readonly each: ReceiveOrder['each'];
}

/**
 * One sending process, one receiving process with a connection for each topic, and the servers. The receivers'
 * clock runs from the last warm-up message to the last message. With a count of 0, `seconds` is 0.
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
    ...{ warmUp: warmUp * copies, count: count * copies },
  });
  try {
    const sender = await RoleProcess.start(stage.node, {
      ...{ job: 'send', peer, size, warmUp, count, window, creditPath },
      topics: each === 'all' ? topics.slice(0, 1) : topics,
    });
    try {
      const meter = new LoadMeter(servers);
      receiver.go();
      sender.go();
      const [received, sent] = await Promise.all([receiver.answer(), sender.answer()]);
      const { load, figures } = loadFigures(
        { sender: sent.cpuSeconds, receiver: received.cpuSeconds, ...meter.cpuSeconds() },
        meter.seconds,
        warmUp + count,
      );
      await Promise.all([sender.stop(), receiver.stop()]);
      return { figures, load, seconds: received.seconds };
    } finally {
      await sender.end();
    }
  } finally {
    await receiver.end();
  }
}
