import { type Mailbox, RELIABLE_MESS, type Sender, SpreadSidecar } from 'spread-sidecar-client';
import type { Peer } from './peer.js';

/** Largest number of concurrent unary calls of a `concurrent` peer. */
const CALLS = 64;

/** One channel for all mailboxes of a process, as in an application. */
const channels = new Map<string, SpreadSidecar>();

export function channelTo(target: string): SpreadSidecar {
  const channel = channels.get(target) ?? new SpreadSidecar({ target });
  channels.set(target, channel);
  return channel;
}

/** The sidecar, used through the TypeScript client. */
export class SidecarPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  readonly #sender: Sender | undefined;
  readonly #concurrent: boolean;
  #receiving = false;
  #calls = 0;
  #room: (() => void) | undefined;

  static async open(target: string, sends: 'stream' | 'unary' | 'concurrent'): Promise<SidecarPeer> {
    const mailbox = await channelTo(target).connect();
    return new SidecarPeer(mailbox, sends);
  }

  private constructor(
    readonly mailbox: Mailbox,
    sends: 'stream' | 'unary' | 'concurrent',
  ) {
    this.#sender = sends === 'stream' ? mailbox.sender() : undefined;
    this.#concurrent = sends === 'concurrent';
  }

  async join(topic: string): Promise<void> {
    this.#receive();
    await this.mailbox.join(topic, { awaitView: true });
  }

  async leave(topic: string): Promise<void> {
    await this.mailbox.leave(topic, { awaitView: true });
  }

  async ownTopic(): Promise<string> {
    this.#receive();
    return this.mailbox.privateGroup;
  }

  send(topic: string, payload: Buffer): Promise<unknown> | undefined {
    if (this.#sender) return this.#sender.send(RELIABLE_MESS, topic, payload);
    const call = this.mailbox.multicast(RELIABLE_MESS, topic, payload);
    if (!this.#concurrent) return call;
    this.#calls += 1;
    void call.then(() => {
      this.#calls -= 1;
      this.#room?.();
    });
    return this.#calls < CALLS ? undefined : this.#until(CALLS - 1);
  }

  async flush(): Promise<void> {
    await this.#sender?.flush();
    await this.#until(0);
  }

  async close(): Promise<void> {
    await this.mailbox.disconnect();
  }

  async #until(calls: number): Promise<void> {
    while (this.#calls > calls)
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
  }

  #receive(): void {
    if (this.#receiving) return;
    this.#receiving = true;
    void (async () => {
      for await (const event of this.mailbox) if (event.kind === 'regular') this.onMessage(event.payload);
    })();
  }
}
