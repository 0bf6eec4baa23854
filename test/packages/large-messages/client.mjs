// Sends messages to a group and receives them: `node client.mjs TARGET COUNT BYTES COLLECT`. COLLECT is true or false.
import { connect, FIFO_MESS } from 'spread-sidecar-client';

const [target, count, bytes, collect] = process.argv.slice(2);
const mailbox = await connect({ target, collectBuffers: collect === 'true' });
await mailbox.join('large', { awaitView: true });
const receive = async () => {
  let received = 0;
  for await (const event of mailbox) {
    if (event.kind === 'regular') received += 1;
    if (received === Number(count)) return;
  }
};
const received = receive();
const sender = mailbox.sender();
const payload = Buffer.alloc(Number(bytes), 1);
for (let i = 0; i < Number(count); i += 1) await sender.send(FIFO_MESS, 'large', payload);
await sender.close();
await received;
await mailbox.disconnect();
