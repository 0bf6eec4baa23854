import type { Message } from '../../../server/src/spread/wire/index.js';

/** Copies a message, because the session reuses its memory. */
export function kept(message: Message): Message {
  return 'payload' in message ? { ...message, payload: Buffer.from(message.payload) } : message;
}
