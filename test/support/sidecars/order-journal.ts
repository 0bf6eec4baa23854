import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The journal of the programs in docs/examples/rolling-update. */
export interface OrderTally {
  /** Number of accepted messages. */
  readonly accepted: number;
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
  // Read the accepted messages first: the file grows while the others are read.
  const accepted = lines('accepted-');
  const records = lines('processed-');
  const processed = new Set(records);
  return {
    accepted: accepted.length,
    processed: processed.size,
    duplicates: records.length - processed.size,
    missing: accepted.filter((id) => !processed.has(id)),
  };
}
