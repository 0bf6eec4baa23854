import { Session } from '../../../server/src/spread/session.js';

const PATIENCE_MS = 30_000;

/**
 * Waits, as a member, until a group has `count` other members. The observer leaves the group before the promise
 * resolves.
 */
export async function untilMembers(daemonPort: number, group: string, count: number): Promise<void> {
  const session = await Session.connect({ address: String(daemonPort) });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`group ${group} did not get ${count} members`)),
        PATIENCE_MS,
      );
      session.start({
        onMessage: (message) => {
          if (message.kind === 'view' && message.members.length === count + 1) session.leave(group);
          if (message.kind !== 'selfLeave') return;
          clearTimeout(timer);
          resolve();
        },
        onClose: (error) => error && reject(error),
      });
      session.join(group);
    });
  } finally {
    await session.disconnect();
  }
}
