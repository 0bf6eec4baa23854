import type { Mailbox } from 'spread-sidecar-client';

/**
 * Reports when the stream from the sidecar breaks, for how long the client retries, and when it has reconnected.
 * Does not report a stream that the sidecar closed because of the age of its connection.
 *
 * @param print - prints a line
 */
export function reportLostConnection(mailbox: Mailbox, print: (text: string) => void): void {
  let isLost = false;
  mailbox.on('detached', (error) => {
    if (error.reason !== '' || isLost) return;
    isLost = true;
    const seconds = Math.round(mailbox.limits.leaseMs / 100) / 10;
    print(`connection to the sidecar lost; retrying for up to ${seconds} s`);
  });
  mailbox.on('attached', () => {
    if (isLost) print('reconnected to the sidecar');
    isLost = false;
  });
}
