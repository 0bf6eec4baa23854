import { type Conversation, now } from './conversation.js';
import type { DrainOrder } from './order.js';
import { RawReceiver } from './raw-receiver.js';
import { channelTo } from './sidecar-peer.js';

export async function drain(order: DrainOrder, talk: Conversation): Promise<void> {
  const mailbox = await channelTo(order.target).connect({ leaseMs: 600_000 });
  await mailbox.join(order.topic, { awaitView: true });
  await talk.readyAndGo();
  const rawReceiver = order.raw ? new RawReceiver(order.target, mailbox.id) : undefined;
  let stopped = false;
  void talk.next('stop').then(async () => {
    stopped = true;
    rawReceiver?.close();
    await mailbox.disconnect({ abort: true });
    process.exit(0);
  });
  while (!stopped) {
    const { count } = await talk.next('take');
    const from = now();
    if (rawReceiver) await rawReceiver.take(count);
    else for (let taken = 0; taken < count; taken += (await mailbox.receive()).kind === 'regular' ? 1 : 0);
    talk.answer(now() - from);
  }
}
