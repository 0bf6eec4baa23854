// Processes the messages of a group, through a rolling update of its Deployment, without missing one: docs/rolling-updates.md.
// The journal stands for your database. It may get a message twice, so its records have the id of the message.
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { SpreadSidecar } from 'spread-sidecar-client';

const { GROUP = 'orders', JOURNAL = '/journal', STATE = '/state', READY_PORT = '8080' } = process.env;
const MAILBOX = join(STATE, 'mailbox');

// Until this process is a member of the group, there is nothing to finish. The first process of a container needs a handler.
let stop = () => process.exit(0);
process.once('SIGTERM', () => stop());

const sidecar = new SpreadSidecar();
await sidecar.waitForReady({ daemon: true });
const mailbox = (await resumed()) ?? (await opened());
console.log(`receiving as ${mailbox.privateGroup}`);

/** The mailbox of a process that crashed in this pod, with all events that it did not acknowledge. */
async function resumed() {
  if (!existsSync(MAILBOX)) return undefined;
  try {
    return await sidecar.attach(readFileSync(MAILBOX, 'utf8'), { manualAcknowledgement: true });
  } catch (error) {
    if (error.reason !== 'ILLEGAL_SESSION') throw error;
    // The lease is over, or the sidecar was restarted too.
    return undefined;
  }
}

async function opened() {
  const mailbox = await sidecar.connect({
    // The pod before this one has the name until it ends. The new pod takes a variant of it and does not wait.
    privateName: 'orders',
    onNameConflict: 'SUFFIX',
    acknowledgement: 'EXPLICIT',
    manualAcknowledgement: true,
    leaseMs: 120_000,
  });
  await mailbox.join(GROUP, { awaitView: true });
  writeFileSync(MAILBOX, mailbox.id);
  return mailbox;
}

// Ready means: a member of the group. Only then does Kubernetes stop the pod before this one.
const readiness = createServer((_, response) => response.end('ready\n')).listen(Number(READY_PORT));

// The pod after this one is a member by now. What came before this pod leaves is still processed here.
stop = () => {
  mailbox.leave(GROUP).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
};

const journal = openSync(join(JOURNAL, `processed-${hostname()}-${randomUUID()}`), 'a');
try {
  for await (const event of mailbox) {
    if (event.kind === 'selfLeave' && event.group === GROUP) break;
    if (event.kind === 'regular') {
      writeSync(journal, `${event.text()}\n`);
      fsyncSync(journal);
    }
    // After the work: the sidecar gives an event again that was not acknowledged.
    await mailbox.acknowledge(event.sequence);
  }
} finally {
  // The mailbox has nothing more: this process has left the group, or the daemon has ended.
  rmSync(MAILBOX);
}
closeSync(journal);
readiness.close();
await sidecar.close();
