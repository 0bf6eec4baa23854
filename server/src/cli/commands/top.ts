import { setTimeout as delay } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { type AdminPort, addressOf } from '../admin/admin-client.js';
import { type AdminOptions, addAdminOptions, adminPort } from '../admin/admin-options.js';
import { MAILBOX_ORDERS } from '../admin/mailbox-columns.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { Interruption } from '../terminal/interruption.js';
import { jsonLine } from '../terminal/json-line.js';
import { EnumeratedOption } from '../terminal/suggesting-option.js';
import { durationValue, wholeNumber } from '../terminal/values.js';
import { LiveView, type ReadSample } from '../top/live-view.js';
import { Sampler, sampleObject } from '../top/sample.js';
import { plainLines } from '../top/view.js';
import { initialState, KEY_HELP, SORTS, type ViewState } from '../top/view-state.js';

interface TopOptions extends AdminOptions {
  /** Unit: ms. */
  readonly interval: number;
  readonly count?: number;
  readonly sort: string;
  readonly filter?: string;
  readonly limit?: number;
}

/** Rows of each interval without a terminal. */
const DEFAULT_LIMIT = 100;
/** Time that a live view retries after a lost connection. Unit: ms. */
const RETRY_MS = 30_000;

export function topCommand(context: CommandContext, done: Done): Command {
  const command = new Command('top')
    .summary('watch the mailboxes of a running sidecar')
    .description(
      'Shows a table of the mailboxes with their queues and rates, and refreshes the table until you quit. Without a terminal, the command prints the table in each interval. Reads /status.json and /mailboxes.json of the admin port. Rates are averages of the last 5 to 10 s.',
    )
    .addOption(
      new Option('-i, --interval <duration>', 'time between two refreshes, 100ms to 1h')
        .argParser(durationValue('100ms', '1h'))
        .default(2000, '2s'),
    )
    .addOption(
      new Option('-c, --count <number>', 'end after this number of refreshes').argParser(
        wholeNumber(1, 1e12),
      ),
    )
    .addOption(
      new EnumeratedOption(
        '--sort <name>',
        `order of the rows: ${MAILBOX_ORDERS.join(', ')}; --sort=-NAME sorts in descending order`,
        SORTS,
      ).default('-receivedPerSecond'),
    )
    .option('--filter <text>', 'show only rows with this text in the private group or the client')
    .addOption(
      new Option(
        '--limit <number>',
        `maximum number of rows, 1 to 1000 (default: height of the terminal, else ${DEFAULT_LIMIT})`,
      ).argParser(wholeNumber(1, 1000)),
    )
    .addHelpText('after', keyHelp);
  return addAdminOptions(command, context, 'print one JSON object per interval').action(
    async (options: TopOptions) => done(await top(context, options)),
  );
}

const keyHelp = (): string =>
  ['', 'Keys on a terminal:', ...KEY_HELP.map(([key, effect]) => `  ${key.padEnd(20)}${effect}`)].join('\n');

async function top(context: CommandContext, options: TopOptions): Promise<number> {
  const { interval: intervalMs, count = Number.POSITIVE_INFINITY, limit } = options;
  const port = await adminPort(context, options);
  const state = initialState(options.sort, options.filter ?? '');
  if (context.stdout.isTerminal && !options.json) {
    const sampler = new Sampler(port);
    const read: ReadSample = (query, signal) => sampler.read(query, signal);
    const live = { target: addressOf(port), intervalMs, count, retryMs: RETRY_MS, limit };
    await LiveView.run(context, read, live, state);
    return ExitCode.ok;
  }
  return printSamples(context, port, options, state);
}

/** Prints a sample in each interval, as text or as JSON. */
async function printSamples(
  context: CommandContext,
  port: AdminPort,
  options: TopOptions,
  state: ViewState,
): Promise<number> {
  const { stdout, signal } = context;
  const { interval, count = Number.POSITIVE_INFINITY, limit = DEFAULT_LIMIT, json } = options;
  const sampler = new Sampler(port);
  const target = addressOf(port);
  try {
    for (let printed = 1; ; printed++) {
      const startedAt = performance.now();
      const sample = await sampler.read({ ...state, limit }, signal);
      if (json) await stdout.line(jsonLine(sampleObject(sample)));
      else for (const line of plainLines(sample, target)) await stdout.line(line);
      if (printed >= count) return ExitCode.ok;
      await delay(Math.max(0, interval - (performance.now() - startedAt)), undefined, { signal });
    }
  } catch (error) {
    // A requested stop is success for a command that runs until it is stopped.
    if (signal.aborted && signal.reason instanceof Interruption) return ExitCode.ok;
    throw error;
  }
}
