// A measured process loads this file (NODE_OPTIONS=--import=…). At SIGUSR2, the process collects garbage, and writes its remaining
// resources to the file BENCH_REPORT as JSON.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const file = process.env.BENCH_REPORT;

process.on('SIGUSR2', async () => {
  // Finalizers and callbacks release objects, which the next collection reclaims.
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  writeFileSync(`${file}.new`, JSON.stringify({ memory: process.memoryUsage(), resources }));
  renameSync(`${file}.new`, file);
});
