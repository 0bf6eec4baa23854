// `npm run measure -- <what>`: measures the figures of docs/reliability.md; `npm run measure -- --help` lists them.
// The sidecar runs as users run it, built and in a process of its own, and so does what drives it.
import { ensureBuilt } from './build.mjs';
import { runPlain } from './run-plain.mjs';

await ensureBuilt();
await runPlain('test/measure/main.ts', ['test/measure', 'test/support']);
