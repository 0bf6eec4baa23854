import { randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import type { Peer } from './peer.js';

const clientOf = (port: number) => createClient({ socket: { host: '127.0.0.1', port } });

/** Redis pub/sub. A subscribed connection cannot publish, so a peer that does both has two connections. */
export class RedisPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  readonly #port: number;
  readonly #publisher: ReturnType<typeof clientOf>;
  #subscriber: ReturnType<typeof clientOf> | undefined;
  #unanswered = 0;
  #last: Promise<unknown> = Promise.resolve();

  static async open(port: number): Promise<RedisPeer> {
    const publisher = clientOf(port);
    await publisher.connect();
    return new RedisPeer(port, publisher);
  }

  private constructor(port: number, publisher: ReturnType<typeof clientOf>) {
    this.#port = port;
    this.#publisher = publisher;
  }

  async join(topic: string): Promise<void> {
    if (this.#subscriber === undefined) {
      this.#subscriber = clientOf(this.#port);
      await this.#subscriber.connect();
    }
    await this.#subscriber.subscribe(topic, (payload: Buffer) => this.onMessage(payload), true);
  }

  async leave(topic: string): Promise<void> {
    await this.#subscriber?.unsubscribe(topic);
  }

  async ownTopic(): Promise<string> {
    const topic = randomUUID();
    await this.join(topic);
    return topic;
  }

  /**
   * The commands of one turn of the event loop leave together. Above a thousand unanswered commands the peer
   * waits, like the window of the other peers.
   */
  send(topic: string, payload: Buffer): Promise<unknown> | undefined {
    this.#last = this.#publisher.publish(topic, payload);
    this.#unanswered += 1;
    if (this.#unanswered < 1000) return undefined;
    this.#unanswered = 0;
    return this.#last;
  }

  async flush(): Promise<void> {
    await this.#last;
  }

  async close(): Promise<void> {
    this.#subscriber?.destroy();
    this.#publisher.destroy();
  }
}
