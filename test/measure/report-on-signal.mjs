// Loaded into the process that is measured (NODE_OPTIONS=--import=…): at SIGUSR2 it collects garbage and writes to the file
// MEASURE_REPORT what is left, as JSON.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const file = process.env.MEASURE_REPORT;

process.on('SIGUSR2', async () => {
  // What is freed by finalizers and callbacks is collected by the next one.
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  writeFileSync(`${file}.new`, JSON.stringify({ memory: process.memoryUsage(), resources }));
  renameSync(`${file}.new`, file);
});
