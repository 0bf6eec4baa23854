// Workers share jobs without a coordinator: node workers.mjs [target]
//
// All workers receive jobs, results and views in the same order. Therefore each worker can compute the owner
// of each job by itself, and all workers compute the same owner. The jobs of a worker that leaves are
// assigned again.
import { AGREED_MESS, SpreadSidecar } from 'spread-sidecar-client';

const [target] = process.argv.slice(2);
const JOBS = 12;
const [JOB, RESULT] = [1, 2];

/** Does jobs. Leaves when it is assigned more than `most` jobs. */
async function work(mailbox, most) {
  let members = [];
  const owners = new Map();
  let turn = 0;
  let done = 0;
  for await (const event of mailbox) {
    let unowned = [];
    if (event.kind === 'view') {
      ({ members } = event);
      // The unfinished jobs of workers that left are assigned again.
      unowned = [...owners].filter(([, owner]) => !members.includes(owner)).map(([job]) => job);
    } else if (event.kind === 'regular' && event.messageType === JOB) unowned = [event.text()];
    else if (event.kind === 'regular') owners.delete(event.text());
    for (const job of unowned) {
      const owner = members[turn % members.length];
      turn += 1;
      owners.set(job, owner);
      if (owner !== mailbox.privateGroup) continue;
      if (done === most) {
        await mailbox.disconnect();
        return;
      }
      done += 1;
      await mailbox.multigroupMulticast(AGREED_MESS, ['jobs', 'results'], job, RESULT);
    }
  }
}

const sidecar = new SpreadSidecar({ target });
const workers = [];
for (const [number, most] of [2, JOBS, JOBS].entries()) {
  const mailbox = await sidecar.connect({ privateName: `worker${number}`, onNameConflict: 'SUFFIX' });
  await mailbox.join('jobs', { awaitView: true });
  workers.push({ mailbox, working: work(mailbox, most) });
}
const boss = await sidecar.connect({ privateName: 'boss', onNameConflict: 'SUFFIX' });
await boss.join('results', { awaitView: true });
for (let job = 0; job < JOBS; job += 1) await boss.multicast(AGREED_MESS, 'jobs', `job ${job}`, JOB);
for (let missing = JOBS; missing > 0; ) {
  const event = await boss.receive();
  if (event.kind !== 'regular') continue;
  console.log(`${event.text()} was done by ${event.sender}`);
  missing -= 1;
}
for (const { mailbox, working } of workers) {
  await mailbox.disconnect();
  await working;
}
await sidecar.close();
