import { letHeapGrow } from './memory/heap-growth.js';
import { collectWhenIdle } from './memory/idle-collection.js';
import { restartInSmallContainer } from './memory/small-allocator.js';
import { limitYoungGeneration } from './memory/young-generation.js';

restartInSmallContainer();
letHeapGrow();
limitYoungGeneration();
collectWhenIdle();
// Only now: a process that is replaced does not load the program twice.
const { run } = await import('./cli/main.js');
const exitCode = await run(process.argv.slice(2));
// Everything is closed, and the output is written as far as its reader accepts it. The process must exit
// explicitly: without exit(), Node destroys the remains of connections at the end, over which Node 20.20.2 has
// aborted. It would also not end while output waits in a pipe without a reader.
process.exit(exitCode);
