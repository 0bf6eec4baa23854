// `npm run chaos`: breaks the links of a sidecar for as long as you like and checks that it keeps its promises;
// `npm run chaos -- --help` tells the options.
import { runSource } from './run-source.mjs';

await runSource('/test/chaos/main.ts');
