import { setTimeout as delay } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { Mailbox, SpreadError, SpreadEvent } from 'spread-sidecar-client';
import { CommandFailure } from '../command-failure.js';
import { addConnectionOptions, type ConnectionOptions, withMailbox } from '../connection/connection.js';
import { reportLostConnection } from '../connection/connection-watch.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { eventToJson } from '../terminal/event-json.js';
import { eventToText } from '../terminal/event-text.js';
import { Interruption } from '../terminal/interruption.js';
import { durationValue, wholeNumber } from '../terminal/values.js';

interface ReceiveOptions extends ConnectionOptions {
  readonly follow?: boolean;
  readonly count?: number;
  readonly wait?: number;
  readonly json?: boolean;
  readonly raw?: boolean;
  readonly reconnect?: boolean;
  readonly views: boolean;
}

export function receiveCommand(context: CommandContext, done: Done): Command {
  const command = new Command('receive')
    .summary('join groups and print events')
    .description(
      'Joins groups and prints events until the first message arrives. --count sets another number of messages, and --follow prints events until you stop the command.\nWithout a group, the command prints the messages to its private group. Standard error shows the private group.',
    )
    .argument('[group...]', 'groups to join')
    .option('-f, --follow', 'print events until you stop the command')
    .addOption(
      new Option('-c, --count <number>', 'end after this number of messages (default: 1)')
        .argParser(wholeNumber(1, 1e12))
        .conflicts('follow'),
    )
    .addOption(
      new Option('-w, --wait <duration>', 'end with exit code 6 after this time without an event').argParser(
        durationValue('1ms', '24h'),
      ),
    )
    .option(
      '-r, --reconnect',
      'retry while the daemon is unreachable, at the start and after the connection was lost',
    )
    .option('-j, --json', 'print one JSON object per line')
    .addOption(new Option('--raw', 'print only the payloads').conflicts('json'))
    .option('--no-views', 'print only messages, no membership changes');
  return addConnectionOptions(command, context).action(async (groups: string[], options: ReceiveOptions) => {
    done(await receive(context, groups, options));
  });
}

/** Delay between two attempts to open the mailbox with --reconnect. */
const INTERVAL_MS = 500;
/** Reasons for which Connect fails while the daemon is away. In a cluster, the host name of a missing machine is missing too. */
const DAEMON_AWAY: ReadonlySet<string> = new Set(['COULD_NOT_CONNECT', 'CONNECTION_CLOSED']);
const isDaemonAway = ({ reason = '' }: SpreadError, { spreadName }: ReceiveOptions): boolean =>
  DAEMON_AWAY.has(reason) || (reason === 'ILLEGAL_SPREAD' && spreadName === undefined);

async function receive(context: CommandContext, groups: string[], options: ReceiveOptions): Promise<number> {
  const { signal, stderr } = context;
  for (let tries = 1; ; tries += 1) {
    const progress = { joined: false };
    try {
      return await receiveOnce(context, groups, options, progress);
    } catch (error) {
      // The mailbox itself reconnects after this.
      if (!options.reconnect || progress.joined || !isDaemonAway(error as SpreadError, options)) throw error;
      if (tries === 1) await stderr.line(stderr.colors.red(`${(error as Error).message}; retrying`));
      await delay(INTERVAL_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted && stoppedInOrder(context, options)) return ExitCode.ok;
      signal.throwIfAborted();
    }
  }
}

/** @param progress - set when the mailbox is open and has joined its groups */
function receiveOnce(
  context: CommandContext,
  groups: string[],
  options: ReceiveOptions,
  progress: { joined: boolean },
): Promise<number> {
  const mailboxOptions = { autoReceive: true, reconnect: options.reconnect ?? false };
  return withMailbox(context, options, mailboxOptions, async (mailbox) => {
    for (const group of groups) await mailbox.join(group, { awaitView: true, signal: context.signal });
    progress.joined = true;
    const from = groups.length === 0 ? 'its private group' : groups.join(', ');
    await context.stderr.line(context.stderr.colors.dim(`receiving as ${mailbox.privateGroup} from ${from}`));
    reportLostConnection(mailbox, (text) => void context.stderr.line(context.stderr.colors.red(text)));
    mailbox.on('slowConsumer', ({ queuedEvents, timeLeftMs }) => {
      const warning = timeLeftMs === undefined ? '' : `; the sidecar ends the mailbox in ${timeLeftMs} ms`;
      void context.stderr.line(
        `the output is too slow: ${queuedEvents} events are queued in the sidecar${warning}`,
      );
    });
    try {
      await print(context, mailbox, options);
    } catch (error) {
      if (context.signal.aborted && stoppedInOrder(context, options)) return ExitCode.ok;
      if ((error as SpreadError).statusName === 'DEADLINE_EXCEEDED')
        throw new CommandFailure(`nothing arrived for ${options.wait} ms`, ExitCode.timeout, error);
      throw error;
    }
    return ExitCode.ok;
  });
}

/** A requested stop is success for a command that runs until it is stopped. */
function stoppedInOrder({ signal }: CommandContext, options: ReceiveOptions): boolean {
  return (
    signal.reason instanceof Interruption && (options.follow === true || signal.reason.by === 'output closed')
  );
}

async function print(context: CommandContext, mailbox: Mailbox, options: ReceiveOptions): Promise<void> {
  const { stdout, signal } = context;
  let remaining = options.follow ? Number.POSITIVE_INFINITY : (options.count ?? 1);
  while (remaining > 0) {
    const event = await mailbox.receive({ signal, timeoutMs: options.wait });
    if (event.kind === 'regular') remaining -= 1;
    await printEvent(event);
    signal.throwIfAborted();
  }

  async function printEvent(event: SpreadEvent): Promise<void> {
    const isView = event.kind === 'view' || event.kind === 'transitional' || event.kind === 'selfLeave';
    if (isView && !options.views) return;
    if (options.raw) {
      if (event.kind === 'regular') await stdout.write(event.payload);
    } else if (options.json) await stdout.line(eventToJson(event));
    else await stdout.line(eventToText(event, stdout.colors));
  }
}
