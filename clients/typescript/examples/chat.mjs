// Sends each line of standard input to a group, and prints the messages of the other members: node chat.mjs
// [target [name]]
import { createInterface } from 'node:readline';
import { AGREED_MESS, connect, SELF_DISCARD } from 'spread-sidecar-client';

const group = 'chat';
const [target, privateName = 'guest'] = process.argv.slice(2);
const mailbox = await connect({ target, privateName, onNameConflict: 'SUFFIX' });

async function show() {
  for await (const event of mailbox) {
    if (event.kind === 'regular') console.log(`${event.sender}: ${event.text()}`);
    if (event.kind === 'view' && event.cause === 'JOIN') console.log(`* ${event.changedMembers[0]} came`);
    if (event.kind === 'view' && (event.cause === 'LEAVE' || event.cause === 'DISCONNECT'))
      console.log(`* ${event.changedMembers[0]} went`);
  }
}

const showing = show();
await mailbox.join(group, { awaitView: true });
for await (const line of createInterface({ input: process.stdin }))
  await mailbox.multicast(AGREED_MESS | SELF_DISCARD, group, line);
await mailbox.disconnect({ leaveGroupsFirst: true });
await showing;
