// `npm run bench`: measures the sidecar against Spread's own C tools, NATS and Redis; see docs/benchmarks.md.
// Everything that is measured runs in processes of its own; only what starts and counts them runs on the sources.
import { ensureBuilt } from './build.mjs';
import { runSource } from './run-source.mjs';

await ensureBuilt();
await runSource('/test/bench/main.ts');
