// `npm run measure -- <what>`: makes the figures of docs/reliability.md again; `npm run measure -- --help` names them.
// The sidecar runs as users run it, built and in a process of its own; the driver runs on the sources.
import { ensureBuilt } from './build.mjs';
import { runSource } from './run-source.mjs';

await ensureBuilt();
await runSource('/test/measure/main.ts');
