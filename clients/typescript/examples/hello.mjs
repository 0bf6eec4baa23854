// Joins a group, sends it a message and receives it: node hello.mjs [target]
import { AGREED_MESS, connect } from 'spread-sidecar-client';

const [target] = process.argv.slice(2);
const mailbox = await connect({ target, privateName: 'hello', onNameConflict: 'SUFFIX' });
await mailbox.join('greetings', { awaitView: true });
await mailbox.multicast(AGREED_MESS, 'greetings', 'hello, group', 7);
for await (const event of mailbox) {
  if (event.kind !== 'regular' || event.sender !== mailbox.privateGroup) continue;
  console.log(`${event.sender} to ${event.groups.join(', ')}: ${event.text()} (type ${event.messageType})`);
  break;
}
await mailbox.disconnect();
