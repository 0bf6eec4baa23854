/** One connection of a role: the operations that Spread, NATS and Redis share. */
export interface Peer {
  /** Called for each message. Set the handler before the first `join`. */
  onMessage: (payload: Uint8Array) => void;
  /** Resolves when the connection receives messages of `topic`. */
  join(topic: string): Promise<void>;
  leave(topic: string): Promise<void>;
  /** A topic that only this connection receives, from now on. */
  ownTopic(): Promise<string>;
  /** Returns a promise when the caller must wait before the next message. */
  send(topic: string, payload: Buffer): Promise<unknown> | undefined;
  /** Resolves when the other side has all messages that were sent. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
