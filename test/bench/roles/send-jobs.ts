import { type Conversation, now } from './conversation.js';
import { CreditReader } from './credit.js';
import { openPeer } from './open-peer.js';
import type { AcceptOrder, SendOrder } from './order.js';
import { WarmUp } from './warm-up.js';

/** Largest pause between the bursts that keep a rate. */
const TICK_MS = 1;

export async function send(order: SendOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  const credit = new CreditReader();
  if (order.creditPath !== undefined) await credit.open(order.creditPath);
  const window = order.creditPath === undefined ? Number.POSITIVE_INFINITY : order.window;
  await talk.readyAndGo();
  const payload = Buffer.alloc(order.size, 'x');
  const { topics, rate, count = Number.POSITIVE_INFINITY } = order;
  const begin = now();
  talk.onStop = () => credit.release();
  for (let i = 0; i < count; i += 1) {
    while (i - credit.confirmed >= window && !talk.stopped) await credit.more();
    if (rate !== undefined)
      while (i >= (now() - begin) * rate && !talk.stopped)
        await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    if (talk.stopped) break;
    const wait = peer.send(topics[i % topics.length] as string, payload);
    if (wait !== undefined) await wait;
  }
  await peer.flush();
  talk.answer(now() - begin);
  await talk.next('stop');
  credit.close();
  await peer.close();
}

export async function accept(order: AcceptOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  const payload = Buffer.alloc(order.size, 'x');
  const sendAll = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const wait = peer.send(order.topic, payload);
      if (wait !== undefined) await wait;
    }
    await peer.flush();
  };
  await talk.readyAndGo();
  const { warmUp: rule, count } = order.measured;
  const warmUp = new WarmUp(rule);
  do await sendAll(rule.window);
  while (!warmUp.endWindow());
  talk.warm();
  const from = now();
  await sendAll(count);
  talk.answer(now() - from, undefined, warmUp.messages);
  await talk.next('stop');
  await peer.close();
}
