import { Session } from '../../../server/src/spread/session.js';
import type { Message } from '../../../server/src/spread/wire/index.js';
import type { Peer } from './peer.js';

/** This project's Spread client library, without gRPC. */
export class SessionPeer implements Peer {
  onMessage: (payload: Uint8Array) => void = () => {};
  #room: (() => void) | undefined;
  #awaited: ((message: Message) => void) | undefined;

  static async open(address: string): Promise<SessionPeer> {
    return new SessionPeer(await Session.connect({ address }));
  }

  private constructor(readonly session: Session) {
    session.start({
      onMessage: (message) => {
        if (message.kind === 'regular') this.onMessage(message.payload);
        else this.#awaited?.(message);
      },
      onClose: (error) => {
        if (error !== undefined) throw error;
      },
      onDrain: () => {
        const room = this.#room;
        this.#room = undefined;
        room?.();
      },
    });
  }

  async join(topic: string): Promise<void> {
    const done = this.#untilKind('view');
    this.session.join(topic);
    await done;
  }

  async leave(topic: string): Promise<void> {
    const done = this.#untilKind('selfLeave');
    this.session.leave(topic);
    await done;
  }

  async ownTopic(): Promise<string> {
    return this.session.privateGroup;
  }

  send(topic: string, payload: Buffer): Promise<void> | undefined {
    const room = this.session.multicast({
      serviceType: 'RELIABLE',
      selfDiscard: false,
      groups: [topic],
      messageType: 0,
      payload,
    });
    if (room) return undefined;
    return new Promise((resolve) => {
      this.#room = resolve;
    });
  }

  async flush(): Promise<void> {
    while (this.session.bufferedBytes > 0) await new Promise((resolve) => setImmediate(resolve));
  }

  async close(): Promise<void> {
    await this.session.disconnect();
  }

  #untilKind(kind: Message['kind']): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = (message) => {
        if (message.kind === kind) resolve();
      };
    });
  }
}
