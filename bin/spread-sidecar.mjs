#!/usr/bin/env node
// The command. In a clone that is not built yet, it builds itself; in a published package it only starts.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const build = join(root, 'scripts', 'build.mjs');
if (existsSync(build)) {
  const { ensureRunnable } = await import(pathToFileURL(build).href);
  await ensureRunnable();
}
try {
  await import(pathToFileURL(join(root, 'dist', 'server', 'bundle', 'main.js')).href);
} catch (error) {
  // The program reports its own failures; this one keeps it from loading.
  if (error?.code !== 'EMFILE') throw error;
  process.stderr.write(
    'spread-sidecar: too many open files (EMFILE) while the program loads: raise the limit (ulimit -n, or nofile of the container)\n',
  );
  process.exitCode = 1;
}
