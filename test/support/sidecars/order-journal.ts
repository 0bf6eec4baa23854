import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The journal of the programs in docs/examples/rolling-update. */
export interface OrderTally {
  /** Number of acknowledged messages. */
  readonly acknowledged: number;
  /** Number of different processed messages. */
  readonly processed: number;
  /** Number of repeated processing. */
  readonly duplicates: number;
  /** Acknowledged messages that were never processed. */
  readonly missing: readonly string[];
}

/** Counts the complete lines of the journal; a program may be writing the last one. */
export function tallyOrders(folder: string): OrderTally {
  const lines = (prefix: string) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  // Read the acknowledged messages first: the file grows while the others are read.
  const acknowledged = lines('acknowledged-');
  const records = lines('processed-');
  const processed = new Set(records);
  return {
    acknowledged: acknowledged.length,
    processed: processed.size,
    duplicates: records.length - processed.size,
    missing: acknowledged.filter((id) => !processed.has(id)),
  };
}
