import type { SpreadAddress } from './address.js';
import type { AuthMethod } from './auth.js';
import type { SocketFactory } from './open-connection.js';
import type { SpreadError } from './spread-error.js';
import type { FrameLimits, Message, MessageLimits, MulticastFields } from './wire/index.js';

/** How to connect, and what the session may send. */
export interface SessionOptions {
  /** A spread name (`4803@host`) or an address. */
  address: string | SpreadAddress;
  /** 0..10 bytes of 0x24..0x7e; default empty: the daemon invents one. */
  privateName?: string;
  /** Whether views and transitional signals are wanted; default true. */
  membership?: boolean;
  /** 0 or 1, without effect in the daemon; default 0. */
  priority?: 0 | 1;
  /** 1 or 2 methods; default NULL. */
  auth?: readonly AuthMethod[];
  /** Time for connection and handshake together, milliseconds, 1..2147483647; default 10,000. */
  timeoutMs?: number;
  /** Ends the attempt to connect; without effect later. */
  signal?: AbortSignal;
  /** What a message may have; default DEFAULT_MESSAGE_LIMITS. */
  messageLimits?: MessageLimits;
  /** What a frame of the daemon may announce; default CLIENT_FRAME_LIMITS. */
  frameLimits?: FrameLimits;
  /** Bytes waiting for the kernel from which on sends return false; default 256 KiB. Unused with a `socketFactory`. */
  sendHighWaterMark?: number;
  /** For tests and other transports. */
  socketFactory?: SocketFactory;
}

/** Who hears of what arrives. All are called synchronously, one at a time. */
export interface SessionHandlers {
  /**
   * Each message, in the daemon's order. `receivedAtMs`: when its last bytes were read, milliseconds since 1970. After
   * `pause` what one read brought (64 KiB) may still follow. A payload is lent: its bytes are others as soon as
   * `onMessage` has returned, so copy bytes that you keep.
   */
  onMessage(message: Message, receivedAtMs: number): void;
  /**
   * The session is over; called once, after the last message. Without an error when we ended it; else
   * CONNECTION_CLOSED, or SP_BUG when `onMessage` threw.
   */
  onClose(error: SpreadError | undefined): void;
  /** Sends that returned false may continue. */
  onDrain?(): void;
}

/** A message to send: all but the sender. */
export type OutgoingMessage = Omit<MulticastFields, 'privateGroup'>;

/** Called when the kernel took the bytes of a request, or with the reason why it never will. */
export type OnTaken = (error?: SpreadError) => void;

/**
 * - open: messages go both ways
 * - closing: we said goodbye and wait for the daemon to close
 * - closed: over
 */
export type SessionState = 'open' | 'closing' | 'closed';
