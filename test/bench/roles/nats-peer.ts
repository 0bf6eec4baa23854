import { connect, createInbox, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import type { Peer } from './peer.js';

/** A NATS server, used through its official client. Callbacks are the client's fastest way to receive. */
export class NatsPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  readonly #subscriptions = new Map<string, Subscription>();

  static async open(port: number): Promise<NatsPeer> {
    return new NatsPeer(await connect({ servers: `127.0.0.1:${port}` }));
  }

  private constructor(readonly connection: NatsConnection) {}

  async join(topic: string): Promise<void> {
    const subscription = this.connection.subscribe(topic, {
      callback: (error, message) => {
        if (error) throw error;
        this.onMessage(message.data);
      },
    });
    this.#subscriptions.set(topic, subscription);
    await this.connection.flush();
  }

  async leave(topic: string): Promise<void> {
    this.#subscriptions.get(topic)?.unsubscribe();
    this.#subscriptions.delete(topic);
    await this.connection.flush();
  }

  async ownTopic(): Promise<string> {
    const inbox = createInbox();
    await this.join(inbox);
    return inbox;
  }

  send(topic: string, payload: Buffer): undefined {
    this.connection.publish(topic, payload);
  }

  async flush(): Promise<void> {
    await this.connection.flush();
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
