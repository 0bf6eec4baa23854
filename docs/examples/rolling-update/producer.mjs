// Sends numbered messages to a group and records those that were accepted: docs/rolling-updates.md.
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { AGREED_MESS, SpreadSidecar } from 'spread-sidecar-client';

const { GROUP = 'orders', JOURNAL = '/journal', INTERVAL_MS = '5' } = process.env;
const name = `${hostname()}-${randomUUID()}`;

let isStopping = false;
process.once('SIGTERM', () => {
  isStopping = true;
});

const sidecar = new SpreadSidecar();
await sidecar.waitForReady({ daemon: true });
const mailbox = await sidecar.connect();
const accepted = openSync(join(JOURNAL, `accepted-${name}`), 'a');
for (let number = 1; !isStopping; number++) {
  const id = `${name}-${number}`;
  await mailbox.multicast(AGREED_MESS, GROUP, id);
  writeSync(accepted, `${id}\n`);
  await wait(Number(INTERVAL_MS));
}
closeSync(accepted);
// The message that was sent last reaches the daemon before the mailbox ends.
await sidecar.close();
