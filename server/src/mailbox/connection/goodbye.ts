import type { Session } from '../../spread/session.js';
import type { Outbox } from '../outbound/outbox.js';

/**
 * Leaves a daemon in good order: what waits to be sent goes first, then a leave of each of these groups, then the goodbye.
 * Resolves when the connection is closed; after `timeoutMs` milliseconds it is dropped. Never rejects.
 */
export function sayGoodbye(
  session: Pick<Session, 'leave' | 'disconnect' | 'abort'>,
  outbox: Outbox,
  leaving: readonly string[],
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const tooLate = setTimeout(() => session.abort(), timeoutMs);
    outbox.whenIdle(() => {
      try {
        for (const group of leaving) session.leave(group);
      } catch {
        // The session was lost meanwhile, which is an end as well.
      }
      void session.disconnect(timeoutMs).then(() => {
        clearTimeout(tooLate);
        resolve();
      });
    });
  });
}
