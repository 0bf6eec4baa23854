/** What an authentication method may do with the connection between the auth choice and the daemon's answer. */
export interface AuthConversation {
  /** Exactly `count` bytes from the daemon. Rejects when the connection ends or the handshake's time is over. */
  read(count: number): Promise<Buffer>;
  /** Sends `bytes` in one write. */
  write(bytes: Buffer): void;
}

/**
 * One way to prove who we are. The daemon runs the chosen methods in the order of the choice; each talks to its
 * counterpart here, then the daemon says whether the session is accepted.
 */
export interface AuthMethod {
  /** The name that the daemon lists, 1..29 printable bytes, e.g. `NULL`, `IP`, `PWORD`. */
  readonly name: string;
  /** Our half of the conversation. Methods that exchange nothing resolve at once. */
  authenticate(conversation: AuthConversation): Promise<void>;
}

/** Spread's default: nothing is asked, nothing is proved. */
export const NULL_AUTH: AuthMethod = Object.freeze({
  name: 'NULL',
  authenticate: async () => {},
});

/**
 * The daemon looks at the IPv4 address that the connection comes from; nothing is exchanged. It rejects every Unix socket
 * connection, whatever its access file says (Spread 5.0.1, transcript 13).
 */
export const IP_AUTH: AuthMethod = Object.freeze({
  name: 'IP',
  authenticate: async () => {},
});
