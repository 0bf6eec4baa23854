import { run } from './cli/main.js';
import { letHeapGrow } from './memory/heap-growth.js';

letHeapGrow();
process.exitCode = await run(process.argv.slice(2));
