import { run } from './cli/main.js';
import { letHeapGrow } from './memory/heap-growth.js';
import { collectWhenIdle } from './memory/idle-collection.js';

letHeapGrow();
collectWhenIdle();
process.exitCode = await run(process.argv.slice(2));
// Everything is closed. A process that ends by itself lets Node destroy what it has kept of connections, over which
// Node 20.20.2 has aborted; one that exits does not. What was written goes out before, also to a slow pipe.
process.stdout.write('', () => process.stderr.write('', () => process.exit()));
