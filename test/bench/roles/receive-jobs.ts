import type { Conversation } from './conversation.js';
import { CreditWriter, SlowestCount } from './credit.js';
import { openPeer } from './open-peer.js';
import type { HoldOrder, LoopOrder, ReceiveOrder } from './order.js';
import type { Peer } from './peer.js';
import { MeasuredCount } from './warm-up.js';

const DEFAULT_STEP = 64;

export async function receive(order: ReceiveOrder, talk: Conversation): Promise<void> {
  const { topics, each, creditEvery = DEFAULT_STEP } = order;
  const credit = order.creditPath === undefined ? undefined : await CreditWriter.open(order.creditPath);
  const slowest = new SlowestCount(each === 'all' ? topics.length : 1, creditEvery);
  const measured = order.measured && new MeasuredCount(order.measured, () => talk.warm());
  const peers: Peer[] = [];
  for (const [number, topic] of topics.entries()) {
    const peer = await openPeer(order.peer);
    const counted = each === 'all' ? number : 0;
    peer.onMessage = () => {
      measured?.add();
      const all = slowest.add(counted);
      if (all !== undefined) credit?.confirm(all);
    };
    await peer.join(topic);
    peers.push(peer);
  }
  await talk.readyAndGo();
  if (measured) talk.answer(await measured.finished, undefined, measured.warmUp);
  await talk.next('stop');
  if (!measured) talk.answer(0);
  credit?.close();
  await closeAll(peers);
}

export async function loop(order: LoopOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  const payload = Buffer.alloc(order.size, 'x');
  const measured = new MeasuredCount(order.measured, () => talk.warm());
  let received = 0;
  let wake: (() => void) | undefined;
  peer.onMessage = () => {
    received += 1;
    measured.add();
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
  for (let i = 0; !measured.isFinished; i += 1) {
    while (i - received >= order.window) await more();
    const wait = peer.send(order.topic, payload);
    if (wait !== undefined) await wait;
  }
  talk.answer(await measured.finished, undefined, measured.warmUp);
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
