import { run } from './cli/main.js';
import { letHeapGrow } from './memory/heap-growth.js';
import { collectWhenIdle } from './memory/idle-collection.js';

letHeapGrow();
collectWhenIdle();
const exitCode = await run(process.argv.slice(2));
// Everything is closed, and the output is written as far as its reader accepts it. A process that ends by itself lets
// Node destroy what it has kept of connections, over which Node 20.20.2 has aborted; one that exits does not. Nor would
// it end by itself while output waits in a pipe without a reader.
process.exit(exitCode);
