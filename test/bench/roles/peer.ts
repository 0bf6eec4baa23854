/** One connection of a role: what Spread, NATS and Redis have in common. */
export interface Peer {
  /** Called for each message; to be set before the first `join`. */
  onMessage: (payload: Uint8Array) => void;
  /** Resolves when messages for `topic` will come. */
  join(topic: string): Promise<void>;
  leave(topic: string): Promise<void>;
  /** A topic that reaches this connection alone; messages for it come from now on. */
  ownTopic(): Promise<string>;
  /** A promise when the caller is to wait before the next one. */
  send(topic: string, payload: Buffer): Promise<unknown> | undefined;
  /** Resolves when the other side has everything that was sent. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
