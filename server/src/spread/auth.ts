/** The access of an authentication method to the connection, between the auth choice and the daemon's response. */
export interface AuthConversation {
  /** Reads exactly `count` bytes from the daemon. Rejects when the connection ends or the handshake times out. */
  read(count: number): Promise<Buffer>;
  /** Sends `bytes` in one write. */
  write(bytes: Buffer): void;
}

/**
 * An authentication method. The daemon runs the chosen methods in the order of the choice. Each exchanges data
 * with its counterpart here, then the daemon accepts or rejects the session.
 */
export interface AuthMethod {
  /** The name in the daemon's list, 1..29 printable bytes, e.g. `NULL`, `IP`, `PWORD`. */
  readonly name: string;
  /** The client's part of the exchange. Methods without an exchange resolve immediately. */
  authenticate(conversation: AuthConversation): Promise<void>;
}

/** Spread's default: no authentication and no exchange. */
export const NULL_AUTH: AuthMethod = Object.freeze({
  name: 'NULL',
  authenticate: async () => {},
});

/**
 * The daemon checks the IPv4 address of the connection. There is no exchange. It rejects every Unix socket
 * connection, whatever its access file contains (Spread 5.0.1, transcript 13).
 */
export const IP_AUTH: AuthMethod = Object.freeze({
  name: 'IP',
  authenticate: async () => {},
});
