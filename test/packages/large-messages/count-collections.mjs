// Loaded into a process with `--import`: counts the collections of the whole heap that V8 starts by itself. At its end, the process
// writes the count to the file COLLECTIONS_FILE.
import { writeFileSync } from 'node:fs';
import { constants, PerformanceObserver } from 'node:perf_hooks';

let count = 0;
const isCounted = ({ detail: { kind, flags } }) =>
  kind === constants.NODE_PERFORMANCE_GC_MAJOR && !(flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED);
const observer = new PerformanceObserver((list) => {
  count += list.getEntries().filter(isCounted).length;
});
observer.observe({ entryTypes: ['gc'] });
process.once('exit', () => {
  count += observer.takeRecords().filter(isCounted).length;
  writeFileSync(process.env.COLLECTIONS_FILE, String(count));
});
