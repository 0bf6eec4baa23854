// The entry point of the thread that reads the JSON pages of `check page`, like an open status page.
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is started with. */
export interface PageReaderData {
  readonly adminPort: number;
  /** The pages of one refresh. */
  readonly paths: readonly string[];
  /** Time from the end of a refresh to the next one. Unit: ms. */
  readonly intervalMs: number;
}

/** What the thread answers when the page closes. */
export interface PageReads {
  readonly pages: number;
  /** Unit: ms. */
  readonly longestMs: number;
}

const { adminPort, paths, intervalMs } = workerData as PageReaderData;
let pages = 0;
let longestMs = 0;
let isOpen = false;
let timer: ReturnType<typeof setTimeout> | undefined;

parentPort!.on('message', (order: 'open' | 'close') => {
  isOpen = order === 'open';
  clearTimeout(timer);
  if (isOpen) void refresh();
  parentPort!.postMessage({ pages, longestMs } satisfies PageReads);
});
parentPort!.postMessage('ready');

/** One request at a time, as in server/page/src/refresher.ts. */
async function refresh(): Promise<void> {
  for (const path of paths) {
    if (!isOpen) return;
    const startedAt = performance.now();
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    pages += 1;
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  if (isOpen) timer = setTimeout(() => void refresh(), intervalMs);
}
