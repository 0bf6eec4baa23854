// Prints how the members of a group join and leave: node membership.mjs [target]
import { SpreadSidecar } from 'spread-sidecar-client';

const group = 'members';
const [target] = process.argv.slice(2);

async function watch(mailbox) {
  for await (const event of mailbox) {
    if (event.kind === 'view') {
      console.log(
        event.cause,
        event.changedMembers.join(', '),
        '->',
        event.members.join(', '),
        'I am',
        event.ownIndex,
      );
      // The members that moved together from the previous view. Relevant after a NETWORK view.
      for (const { members, mine } of event.sets)
        console.log(`  together: ${members.join(', ')}${mine ? ' (with me)' : ''}`);
    }
    if (event.kind === 'selfLeave') {
      console.log('left', event.group);
      return;
    }
  }
}

const sidecar = new SpreadSidecar({ target });
const watcher = await sidecar.connect({ privateName: 'watcher', onNameConflict: 'SUFFIX' });
const view = await watcher.join(group, { awaitView: true });
console.log('now:', view.members.join(', '));
const watching = watch(watcher);
for (const way of ['leave', 'disconnect']) {
  const guest = await sidecar.connect({ privateName: 'guest', onNameConflict: 'SUFFIX' });
  await guest.join(group, { awaitView: true });
  if (way === 'leave') await guest.leave(group, { awaitView: true });
  await guest.disconnect();
}
await watcher.leave(group, { awaitView: true });
await watching;
await sidecar.close();
