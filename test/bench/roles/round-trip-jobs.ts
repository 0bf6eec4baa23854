import { type Conversation, now } from './conversation.js';
import { openPeer } from './open-peer.js';
import type { ChurnOrder, PingOrder, ReflectOrder } from './order.js';

/** Content of a ping: the send time (8 bytes), the length of the topic for the response (1 byte), that topic. */
const TOPIC_AT = 9;

/** Pings without a response after this time count as lost. */
const PATIENCE_SECONDS = 10;

export async function ping(order: PingOrder, talk: Conversation): Promise<void> {
  const peer = await openPeer(order.peer);
  const samples: number[] = [];
  const total = order.warmUp + order.count;
  let responses = 0;
  peer.onMessage = (payload) => {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const microseconds = (now() - view.getFloat64(0)) * 1e6;
    responses += 1;
    if (responses > order.warmUp) samples.push(microseconds);
  };
  const own = await peer.ownTopic();
  await talk.readyAndGo();
  const begin = now();
  for (let i = 0; i < total; i += 1) {
    const message = Buffer.alloc(Math.max(order.size, TOPIC_AT + own.length));
    message.writeUInt8(own.length, 8);
    message.write(own, TOPIC_AT, 'latin1');
    const due = begin + (i * order.periodMs) / 1000;
    while (now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
    message.writeDoubleBE(now(), 0);
    const wait = peer.send(order.topic, message);
    if (wait !== undefined) await wait;
  }
  const sentAt = now();
  while (responses < total) {
    if (now() - sentAt > PATIENCE_SECONDS)
      throw new Error(`${total - responses} of ${total} pings were not answered`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  talk.answer(now() - begin, samples);
  await talk.next('stop');
  await peer.close();
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
  let from = 0;
  for (let i = 0; i < order.warmUp + order.count; i += 1) {
    if (i === order.warmUp) from = now();
    await peer.join(order.topic);
    await peer.leave(order.topic);
  }
  talk.answer(now() - from);
  await talk.next('stop');
  await peer.close();
}
