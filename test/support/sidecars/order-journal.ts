import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the programs of docs/examples/rolling-update wrote into their journal. */
export interface OrderTally {
  /** Messages whose sending was acknowledged. */
  readonly acknowledged: number;
  /** Different messages that were processed. */
  readonly processed: number;
  /** Times that a message was processed after its first time. */
  readonly duplicates: number;
  /** Acknowledged messages that were never processed. */
  readonly missing: readonly string[];
}

/** Counts the whole lines of the journal; a program may be writing the last one. */
export function tallyOrders(folder: string): OrderTally {
  const lines = (prefix: string) =>
    readdirSync(folder)
      .filter((name) => name.startsWith(prefix))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
  // First what was acknowledged: it grows while the rest is read.
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
