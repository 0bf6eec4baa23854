import { type Conversation, now } from './conversation.js';
import { CreditWriter, SlowestCount } from './credit.js';
import { openPeer } from './open-peer.js';
import type { HoldOrder, LoopOrder, ReceiveOrder } from './order.js';
import type { Peer } from './peer.js';

const DEFAULT_STEP = 64;

export async function receive(order: ReceiveOrder, talk: Conversation): Promise<void> {
  const { topics, each, creditEvery = DEFAULT_STEP } = order;
  const credit = order.creditPath === undefined ? undefined : await CreditWriter.open(order.creditPath);
  const slowest = new SlowestCount(each === 'all' ? topics.length : 1, creditEvery);
  const total = order.untilStopped ? Number.POSITIVE_INFINITY : order.warmUp + order.count;
  let received = 0;
  let from = 0;
  let finish: (seconds: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const peers: Peer[] = [];
  for (const [number, topic] of topics.entries()) {
    const peer = await openPeer(order.peer);
    const counted = each === 'all' ? number : 0;
    peer.onMessage = () => {
      received += 1;
      if (received === order.warmUp) from = now();
      const all = slowest.add(counted);
      if (all !== undefined) credit?.confirm(all);
      if (received === total) finish(now() - from);
    };
    await peer.join(topic);
    peers.push(peer);
  }
  await talk.readyAndGo();
  if (!order.untilStopped) talk.answer(await finished);
  await talk.next('stop');
  if (order.untilStopped) talk.answer(0);
  credit?.close();
  await closeAll(peers);
}

export async function loop(order: LoopOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  const payload = Buffer.alloc(order.size, 'x');
  const total = order.warmUp + order.count;
  let received = 0;
  let from = 0;
  let wake: (() => void) | undefined;
  peer.onMessage = () => {
    received += 1;
    if (received === order.warmUp) from = now();
    const waiting = wake;
    wake = undefined;
    waiting?.();
  };
  const more = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  await peer.join(order.topic);
  await talk.readyAndGo();
  for (let i = 0; i < total; i += 1) {
    while (i - received >= order.window) await more();
    const wait = peer.send(order.topic, payload);
    if (wait !== undefined) await wait;
  }
  while (received < total) await more();
  talk.answer(now() - from);
  await talk.next('stop');
  await peer.close();
}

export async function hold(order: HoldOrder, talk: Conversation): Promise<void> {
  const peers: Peer[] = [];
  for (const topic of order.topics) {
    const peer = await openPeer(order.peer);
    await peer.join(topic);
    peers.push(peer);
  }
  await talk.readyAndGo();
  await talk.next('stop');
  talk.answer(0);
  await closeAll(peers);
}

async function closeAll(peers: readonly Peer[]): Promise<void> {
  await Promise.all(peers.map((peer) => peer.close()));
}
