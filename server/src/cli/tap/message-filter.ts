import { InvalidArgumentError } from 'commander';
import type { RegularMessage } from 'spread-sidecar-client';
import { messageType } from '../terminal/values.js';

/** The message types from `min` to `max`. */
export interface TypeRange {
  readonly min: number;
  readonly max: number;
}

/** Conditions that a message must meet. An absent condition accepts every message. */
export interface MessageFilter {
  /** Private groups or private names. The sender must be one of them. */
  readonly sender?: readonly string[];
  /** The message type must be in one of these ranges. */
  readonly type?: readonly TypeRange[];
  /** Unit: bytes. */
  readonly minSize?: number;
  readonly maxSize?: number;
}

export function matchesFilter(message: RegularMessage, filter: MessageFilter): boolean {
  const { sender, type, minSize = 0, maxSize = Number.POSITIVE_INFINITY } = filter;
  const size = message.payload.length;
  if (size < minSize || size > maxSize) return false;
  if (sender !== undefined && !sender.some((name) => isSender(message.sender, name))) return false;
  return (
    type === undefined ||
    type.some(({ min, max }) => message.messageType >= min && message.messageType <= max)
  );
}

/** @param name - a private group such as `#alice#node1`, or a private name such as `alice` */
function isSender(sender: string, name: string): boolean {
  return sender === name || sender.split('#')[1] === name;
}

/** Adds a message type or a range such as `1..9` to the earlier ones. */
export function typeRange(text: string, earlier: readonly TypeRange[] = []): readonly TypeRange[] {
  const [first = '', last = first, ...rest] = text.split('..');
  const range = { min: messageType(first), max: messageType(last) };
  if (rest.length > 0 || range.min > range.max)
    throw new InvalidArgumentError('It must be a number such as 7, or a range such as 1..9.');
  return [...earlier, range];
}

/** Adds a sender to the earlier ones. */
export function senderName(text: string, earlier: readonly string[] = []): readonly string[] {
  if (text === '') throw new InvalidArgumentError('It must be a private group or a private name.');
  return [...earlier, text];
}
