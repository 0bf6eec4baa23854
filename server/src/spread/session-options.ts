import type { SpreadAddress } from './address.js';
import type { AuthMethod } from './auth.js';
import type { SocketFactory } from './open-connection.js';
import type { SpreadError } from './spread-error.js';
import type { FrameLimits, Message, MessageLimits, MulticastFields } from './wire/index.js';

/** The connection of a session, and its limits. */
export interface SessionOptions {
  /** A Spread name (`4803@host`) or an address. */
  address: string | SpreadAddress;
  /** 0..10 bytes of 0x24..0x7e. Default: empty, so the daemon generates a name. */
  privateName?: string;
  /** Whether to receive views and transitional signals. Default: true. */
  membership?: boolean;
  /** 0 or 1, without effect in the daemon. Default: 0. */
  priority?: 0 | 1;
  /** One or two methods. Default: NULL. */
  auth?: readonly AuthMethod[];
  /** Time limit for connection and handshake together, in ms, 1..2147483647. Default: 10,000. */
  timeoutMs?: number;
  /** Cancels the attempt to connect. Has no effect later. */
  signal?: AbortSignal;
  /** Limits of sent messages. Default: DEFAULT_MESSAGE_LIMITS. */
  messageLimits?: MessageLimits;
  /** Limits of a daemon's frames. Default: CLIENT_FRAME_LIMITS. */
  frameLimits?: FrameLimits;
  /**
   * Bytes waiting for the kernel from which on sends return false. Default: 256 KiB. Unused with a
   * `socketFactory`.
   */
  sendHighWaterMark?: number;
  /** For tests and other transports. */
  socketFactory?: SocketFactory;
}

/** Receives the messages and the end of a session. All methods are called synchronously, one at a time. */
export interface SessionHandlers {
  /**
   * Called for each message, in the daemon's order. `receivedAtMs`: when its last bytes were read, in milliseconds
   * since 1970. After `pause`, the rest of one read (64 KiB) may still follow. The payload's memory is reused when
   * `onMessage` returns, so copy bytes that you keep.
   */
  onMessage(message: Message, receivedAtMs: number): void;
  /**
   * The session has ended. Called once, after the last message. Without an error after disconnect or abort;
   * otherwise CONNECTION_CLOSED, or SP_BUG when `onMessage` threw.
   */
  onClose(error: SpreadError | undefined): void;
  /** Sends that returned false may continue. */
  onDrain?(): void;
}

/** A message to send, without the sender. */
export type OutgoingMessage = Omit<MulticastFields, 'privateGroup'>;

/** Called when the kernel has accepted the bytes of a request, or with the error that prevents it. */
export type OnTaken = (error?: SpreadError) => void;

/**
 * - open: messages go in both directions
 * - closing: the disconnect message was sent, and the daemon must close
 * - closed: the session has ended
 */
export type SessionState = 'open' | 'closing' | 'closed';
