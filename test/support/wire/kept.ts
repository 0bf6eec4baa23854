import type { Message } from '../../../server/src/spread/wire/index.js';

/** A message of a session to keep: what the session gives is lent. */
export function kept(message: Message): Message {
  return 'payload' in message ? { ...message, payload: Buffer.from(message.payload) } : message;
}
