// `npm run fuzz`: gives everything that reads strangers' bytes bad ones; `npm run fuzz -- --help` tells the options.
import { runSource } from './run-source.mjs';

await runSource('/test/fuzz/main.ts');
