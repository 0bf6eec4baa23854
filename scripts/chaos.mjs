// `npm run chaos`: breaks the links of a sidecar for as long as you like and checks that it keeps its promises;
// `npm run chaos -- --help` tells the options.
import { ensureBuilt } from './build.mjs';
import { runSource } from './run-source.mjs';

await ensureBuilt();
await runSource('/test/chaos/main.ts');
