// Writes spread.conf for a daemon in a pod, and anew when a pod comes back with another address. Spread reads names once, at
// its start, and refuses packets from an address that is not in its file. So the daemon has to be started anew then: its
// liveness probe asks here, and is told so once.
//
// node spread-addresses.mjs TEMPLATE OUTPUT PORT: in TEMPLATE, {name} stands for the address of that name.
import { lookup } from 'node:dns/promises';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const [template, output, port] = process.argv.slice(2);
const text = readFileSync(template, 'utf8');
const NAME = /\{([a-z0-9.-]+)\}/g;
const names = [...new Set([...text.matchAll(NAME)].map(([, name]) => name))];
const INTERVAL_MS = 1000;

// The daemon may have read what was written before this process was started anew.
let written = existsSync(output) ? readFileSync(output, 'utf8') : undefined;
let isStale = false;

/** The file with all addresses; undefined as long as a pod has none. */
async function complete() {
  try {
    const found = await Promise.all(names.map((name) => lookup(name, { family: 4 })));
    return text.replace(NAME, (_, name) => found[names.indexOf(name)].address);
  } catch {
    return undefined;
  }
}

function write(content) {
  writeFileSync(`${output}.new`, content);
  renameSync(`${output}.new`, output);
  isStale = written !== undefined;
  written = content;
  process.stdout.write(`${isStale ? 'addresses have changed' : 'all addresses are known'}\n${content}`);
}

const server = createServer(({ url }, response) => {
  if (url === '/written') response.writeHead(written === undefined ? 503 : 200);
  else if (url === '/current') {
    response.writeHead(isStale ? 503 : 200);
    // The kubelet starts the daemon anew for one such answer, and then it has read the file.
    isStale = false;
  } else response.writeHead(404);
  response.end();
});
server.listen(Number(port));

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
for (;;) {
  const content = await complete();
  if (content !== undefined && content !== written) write(content);
  await wait(INTERVAL_MS);
}
