// `npm run attack`: attacks a sidecar and checks its bounds and a well-behaved client beside it; `npm run attack -- --help` lists the attacks.
import { ensureBuilt } from './build.mjs';
import { runPlain } from './run-plain.mjs';

await ensureBuilt();
await runPlain('test/attack/main.ts', ['test/attack', 'test/measure', 'test/support']);
