import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NODE_RELEASES, nodeFolder } from '../../support/node-releases.js';
import { isAvailable } from '../../support/requirements.mjs';
import { runCommand } from '../../support/run-command.js';
import { freePort, ServeProcess } from '../../support/sidecars/serve-process.js';
import { temporaryFolder } from '../../support/tmp.js';

const MESSAGES = 4000;
const BYTES = 100_000;
const CLIENT = fileURLToPath(new URL('client.mjs', import.meta.url));
const COUNTER = new URL('count-collections.mjs', import.meta.url).href;

/** Largest number of collections of the whole heap, in each process and on each release. Without the project's measures: 20 to 100. */
const BOUND = 4;

/** Sends and receives the messages with this Node. Resolves with the number of collections in both processes. */
async function collectionsWith(
  node: string,
  collectBuffers = true,
): Promise<{ sidecar: number; client: number }> {
  const folder = temporaryFolder();
  const files = { sidecar: join(folder, 'sidecar'), client: join(folder, 'client') };
  const count = (file: string) => ({ NODE_OPTIONS: `--import=${COUNTER}`, COLLECTIONS_FILE: file });
  const [admin, daemon] = [await freePort(), await freePort()];
  const target = `unix:${join(folder, 'grpc')}`;
  const args = [
    ...['--grpc-listen', target, '--admin-listen', `127.0.0.1:${admin}`],
    ...['--embedded-daemon', '--embedded-listen', `127.0.0.1:${daemon}`, '--embedded-socket', 'off'],
  ];
  const sidecar = new ServeProcess(args, count(files.sidecar), [], node);
  onTestFinished(() => sidecar.end());
  await sidecar.ready(admin);
  await runCommand(node, [CLIENT, target, String(MESSAGES), String(BYTES), String(collectBuffers)], {
    env: { ...process.env, ...count(files.client) },
  });
  sidecar.kill('SIGTERM');
  expect(await sidecar.exited).toMatchObject({ code: 0 });
  const countIn = (file: string) => Number(readFileSync(file, 'utf8'));
  return { sidecar: countIn(files.sidecar), client: countIn(files.client) };
}

describe.skipIf(!isAvailable('packages'))('4,000 messages of 100 KB, sent and received', () => {
  it.each(NODE_RELEASES)(
    'start few collections of the whole heap with Node %s',
    async (version) => {
      const collections = await collectionsWith(join(await nodeFolder(version), 'node'));
      expect(collections.sidecar).toBeLessThanOrEqual(BOUND);
      expect(collections.client).toBeLessThanOrEqual(BOUND);
    },
    120_000,
  );

  it('start more collections in a client without collectBuffers', async () => {
    const { client } = await collectionsWith(process.execPath, false);
    expect(client).toBeGreaterThan(BOUND);
  }, 120_000);
});
