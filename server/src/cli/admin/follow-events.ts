import { setTimeout as delay } from 'node:timers/promises';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { printable } from '../terminal/event-text.js';
import { Interruption } from '../terminal/interruption.js';
import { jsonLine } from '../terminal/json-line.js';
import { count } from '../terminal/output.js';
import { type Column, tableLines } from '../terminal/table.js';
import { type Fields, TemporaryFailure } from './admin-client.js';
import { field, tableWidth } from './rows.js';

/** Fixed widths, because later events must be aligned with earlier ones. */
const COLUMNS: readonly Column<Fields>[] = [
  { title: 'TIME', width: 24, value: (event) => field(event, 'at') },
  { title: 'KIND', width: 20, value: (event) => field(event, 'kind') },
  { title: 'DETAILS', value: details },
];

/** Fields with their own column, and the sequence number. */
const NO_DETAILS: ReadonlySet<string> = new Set(['sequence', 'at', 'kind']);

function details(event: Fields): string {
  const names = Object.keys(event).filter((name) => !NO_DETAILS.has(name));
  return names.map((name) => `${name}=${field(event, name)}`).join(' ') || '-';
}

/** Prints the events of a page. @param hasHeader - whether the titles come first */
export async function printEvents(
  context: CommandContext,
  page: Fields,
  isJson: boolean,
  hasHeader = true,
): Promise<void> {
  const events = page.events as readonly Fields[];
  const lines = isJson ? events.map(jsonLine) : tableLines(COLUMNS, events, tableWidth(context), hasHeader);
  for (const line of lines) await context.stdout.line(line);
}

/** Intervals of `events --follow`. Unit: ms. */
export interface FollowTimes {
  readonly pollMs: number;
  /** Time to retry after a lost connection. */
  readonly retryMs: number;
}

const TIMES: FollowTimes = { pollMs: 1000, retryMs: 30_000 };

/**
 * Prints events until the command is stopped. Reports a restart and a lost connection on standard error.
 *
 * @param read - reads the page with events after a sequence number
 * @throws CommandFailure when the first request fails, or the connection stays lost
 */
export async function followEvents(
  context: CommandContext,
  read: (after?: number) => Promise<Fields>,
  isJson: boolean,
  { pollMs, retryMs }: FollowTimes = TIMES,
): Promise<number> {
  const { signal, stderr } = context;
  const note = (text: string) => stderr.line(stderr.colors.red(text));
  try {
    let page = await read();
    await printEvents(context, page, isJson);
    for (;;) {
      await delay(pollMs, undefined, { signal });
      const after = Number(page.lastSequence);
      let next = await readWithRetry(after);
      if (next.startedAt !== page.startedAt) {
        await note(`the sidecar restarted at ${printable(field(next, 'startedAt'))}`);
        // This page omits the first events of the new sidecar. Its sequence starts at 1.
        next = await readWithRetry(0);
      } else {
        const lost = Number(next.lastSequence) - after - (next.events as readonly unknown[]).length;
        if (lost > 0) await note(`${count(lost, 'event')} lost: the sidecar retains only the last 200`);
      }
      await printEvents(context, next, isJson, false);
      page = next;
    }
  } catch (error) {
    // A requested stop is success for a command that runs until it is stopped.
    if (signal.aborted && signal.reason instanceof Interruption) return ExitCode.ok;
    throw error;
  }

  async function readWithRetry(after: number): Promise<Fields> {
    let end: number | undefined;
    for (;;) {
      try {
        const page = await read(after);
        if (end !== undefined) await note('reconnected to the sidecar');
        return page;
      } catch (error) {
        if (!(error instanceof TemporaryFailure)) throw error;
        if (end === undefined) {
          end = performance.now() + retryMs;
          const seconds = Math.round(retryMs / 100) / 10;
          await note(`connection to the sidecar lost: ${error.message}; retrying for up to ${seconds} s`);
        } else if (performance.now() >= end)
          throw new CommandFailure(
            `could not reconnect to the sidecar: ${error.message}`,
            ExitCode.endedEarly,
            error,
          );
        await delay(Math.min(pollMs, 500), undefined, { signal });
      }
    }
  }
}
