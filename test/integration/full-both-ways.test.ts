import { FIFO_MESS, SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startWhole } from '../support/sidecars/whole-sidecar.js';
import { within } from '../support/until.js';

const MESSAGES = 4000;
/** Far more bytes than sockets and windows hold, in both directions at the same time. */
const WINDOW = 1000;

describe('one connection that is full in both directions', () => {
  // While a write to an HTTP/2 connection waits, Node reads nothing from it. If both ends wait, the connection
  // stalls forever.
  it.each(['unix', 'tcp'])('continues, over %s', async (transport) => {
    // The sidecar runs in its own process: in one process, the two ends would take turns.
    const { ports, sockets } = await startWhole();
    const target = transport === 'unix' ? `unix:${sockets.grpc}` : `127.0.0.1:${ports.grpc}`;
    const sidecar = new SpreadSidecar({ target });
    onTestFinished(() => sidecar.close({ keepMailboxes: true }));
    const mailbox = await sidecar.connect({ membership: false });
    await mailbox.join('flood');
    const sender = mailbox.sender();
    const payload = Buffer.alloc(10_000, 'x');
    let received = 0;
    let onProgress = () => {};
    const sending = (async () => {
      for (let sent = 0; sent < MESSAGES; sent += 1) {
        while (sent - received >= WINDOW)
          await new Promise<void>((resolve) => {
            onProgress = resolve;
          });
        await sender.send(FIFO_MESS, 'flood', payload);
      }
      await sender.flush();
    })();
    const receiving = (async () => {
      while (received < MESSAGES) {
        received += (await mailbox.receiveMany()).length;
        onProgress();
      }
    })();
    await within(Promise.all([sending, receiving]), 'all messages sent and received', 15_000);
    expect(received).toBe(MESSAGES);
    await sender.close();
  });
});
