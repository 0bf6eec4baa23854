import { median } from '../statistics.js';
import { type Conversation, now } from './conversation.js';
import { openPeer } from './open-peer.js';
import type { ChurnOrder, PingOrder, ReflectOrder } from './order.js';
import type { Peer } from './peer.js';
import { MeasuredCount, WarmUp } from './warm-up.js';

/** Content of a ping: 8 unused bytes, the length of the topic for the reply (1 byte), that topic. */
const TOPIC_AT = 9;

/** Pings without a reply after this time count as lost. */
const PATIENCE_MS = 10_000;

/** Sends one message and resolves with the time until its reply, or until the send is done. Unit: microseconds. */
type Exchange = (message: Buffer) => Promise<number>;

export async function ping(order: PingOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  const own = await peer.ownTopic();
  const exchange = order.job === 'ping' ? replies(peer, order.topic) : sends(peer, order.topic);
  await talk.readyAndGo();
  const series = async (count: number) => {
    const samples: Promise<number>[] = [];
    const begin = now();
    for (let i = 0; i < count; i += 1) {
      const message = Buffer.alloc(Math.max(order.size, TOPIC_AT + own.length));
      message.writeUInt8(own.length, 8);
      message.write(own, TOPIC_AT, 'latin1');
      const due = begin + (i * order.periodMs) / 1000;
      while (now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
      samples.push(exchange(message));
      if (order.periodMs === 0) await samples.at(-1);
    }
    return Promise.all(samples);
  };
  const { warmUp: rule } = order;
  const warmUp = rule && new WarmUp(rule);
  if (warmUp) while (!warmUp.endWindow(median(await series(rule.window))));
  const begin = now();
  const samples = await series(order.count);
  talk.answer(now() - begin, samples, warmUp?.messages);
  await talk.next('stop');
  await peer.close();
}

/** @returns the exchange that ends with the reply; replies arrive in the order of the messages */
function replies(peer: Peer, topic: string): Exchange {
  const waiting: { sentAt: number; resolve(microseconds: number): void }[] = [];
  peer.onMessage = () => {
    const first = waiting.shift();
    first?.resolve((now() - first.sentAt) * 1e6);
  };
  return async (message) => {
    const reply = new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('a ping was not answered')), PATIENCE_MS);
      waiting.push({
        sentAt: now(),
        resolve: (microseconds) => {
          clearTimeout(timer);
          resolve(microseconds);
        },
      });
    });
    const wait = peer.send(topic, message);
    if (wait !== undefined) await wait;
    return reply;
  };
}

function sends(peer: Peer, topic: string): Exchange {
  return async (message) => {
    const sentAt = now();
    await peer.send(topic, message);
    return (now() - sentAt) * 1e6;
  };
}

export async function reflect(order: ReflectOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  peer.onMessage = (payload) => {
    const message = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    const back = message.toString('latin1', TOPIC_AT, TOPIC_AT + message.readUInt8(8));
    void peer.send(back, message);
  };
  await peer.join(order.topic);
  await talk.readyAndGo();
  await talk.next('stop');
  talk.answer(0);
  await peer.close();
}

export async function churn(order: ChurnOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  // The first join also opens the receiving connection. The role stays a member of this topic.
  await peer.join(`${order.topic}-stays`);
  await talk.readyAndGo();
  const measured = new MeasuredCount(order.measured, () => talk.warm());
  while (!measured.isFinished) {
    await peer.join(order.topic);
    await peer.leave(order.topic);
    measured.add();
  }
  talk.answer(await measured.finished, undefined, measured.warmUp);
  await talk.next('stop');
  await peer.close();
}
