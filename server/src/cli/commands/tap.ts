import { Command, Option } from 'commander';
import type { Mailbox, RegularMessage, SpreadEvent } from 'spread-sidecar-client';
import { MAX_MESSAGE_BODY } from '../../spread/wire/constants.js';
import { CommandFailure } from '../command-failure.js';
import { addConnectionOptions, type ConnectionOptions, withMailbox } from '../connection/connection.js';
import { reportLostConnection } from '../connection/connection-watch.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { type MessageFilter, matchesFilter, senderName, typeRange } from '../tap/message-filter.js';
import { eventToJson } from '../terminal/event-json.js';
import { eventToText, messageHeading, printable } from '../terminal/event-text.js';
import { Interruption } from '../terminal/interruption.js';
import { PAYLOAD_FORMS, type PayloadForm, payloadLines } from '../terminal/payload-lines.js';
import { EnumeratedOption } from '../terminal/suggesting-option.js';
import { sizeValue, wholeNumber } from '../terminal/values.js';

interface TapOptions extends ConnectionOptions, MessageFilter {
  readonly show: PayloadForm;
  readonly showBytes: number;
  readonly count?: number;
  readonly json?: boolean;
  readonly views: boolean;
}

export function tapCommand(context: CommandContext, done: Done): Command {
  const size = sizeValue('0', String(MAX_MESSAGE_BODY));
  const command = new Command('tap')
    .summary('join groups as a member, and print their messages and views')
    .description(
      'Joins groups with its own mailbox, and prints messages with their headers, and views, until you stop the command. The command is a member of these groups: other members see its private group in their views, and its join and leave as membership changes.',
    )
    .argument('<group...>', 'groups to join')
    .addOption(
      new Option(
        '--sender <name>',
        'print only messages of this private group (#alice#node1) or private name (alice); repeatable',
      ).argParser(senderName),
    )
    .addOption(
      new Option(
        '--type <number>',
        'print only messages with this message type, or with a type in a range such as 1..9; repeatable',
      ).argParser(typeRange),
    )
    .addOption(
      new Option('--min-size <bytes>', 'print only messages with at least this payload size').argParser(size),
    )
    .addOption(
      new Option('--max-size <bytes>', 'print only messages with at most this payload size').argParser(size),
    )
    .option('--no-views', 'print only messages, no membership changes')
    .addOption(
      new EnumeratedOption(
        '--show <form>',
        'form of the payload: text, hex, both, or auto: text if the payload is UTF-8, else hex',
        PAYLOAD_FORMS,
      ).default('auto'),
    )
    .addOption(
      new Option('--show-bytes <bytes>', 'maximum number of shown bytes of a payload')
        .argParser(size)
        .default(256),
    )
    .addOption(
      new Option('-c, --count <number>', 'end after this number of printed messages').argParser(
        wholeNumber(1, 1e12),
      ),
    )
    .option('-j, --json', 'print one JSON object per line, with the whole payload');
  return addConnectionOptions(command, context).action(async (groups: string[], options: TapOptions) => {
    done(await tap(context, groups, options));
  });
}

async function tap(context: CommandContext, groups: string[], options: TapOptions): Promise<number> {
  const { minSize = 0, maxSize = MAX_MESSAGE_BODY } = options;
  if (minSize > maxSize)
    throw new CommandFailure(
      `--min-size is ${minSize}, which is larger than --max-size ${maxSize}`,
      ExitCode.usage,
    );
  const { signal, stderr } = context;
  try {
    return await withMailbox(context, options, { autoReceive: true }, async (mailbox) => {
      for (const group of groups) await mailbox.join(group, { awaitView: true, signal });
      await stderr.line(
        stderr.colors.dim(
          `member of ${groups.map((name) => printable(name)).join(', ')} as ${mailbox.privateGroup}`,
        ),
      );
      reportLostConnection(mailbox, (text) => void stderr.line(stderr.colors.red(text)));
      await printEvents(context, mailbox, options);
      return ExitCode.ok;
    });
  } catch (error) {
    // A requested stop is success for a command that runs until it is stopped.
    if (signal.aborted && signal.reason instanceof Interruption) return ExitCode.ok;
    throw error;
  }
}

async function printEvents(context: CommandContext, mailbox: Mailbox, options: TapOptions): Promise<void> {
  const { stdout, signal } = context;
  let remaining = options.count ?? Number.POSITIVE_INFINITY;
  while (remaining > 0) {
    const event = await mailbox.receive({ signal });
    if (!isWanted(event, options)) continue;
    if (event.kind === 'regular') remaining -= 1;
    await stdout.line(options.json ? eventToJson(event) : textOf(event, options, stdout.colors));
    signal.throwIfAborted();
  }
}

function isWanted(event: SpreadEvent, options: TapOptions): boolean {
  if (event.kind === 'regular') return matchesFilter(event, options);
  const isView = event.kind === 'view' || event.kind === 'transitional' || event.kind === 'selfLeave';
  return options.views || !isView;
}

function textOf(event: SpreadEvent, options: TapOptions, colors: CommandContext['stdout']['colors']): string {
  const time = event.receivedAt === undefined ? '' : `${colors.dim(event.receivedAt.toISOString())} `;
  if (event.kind !== 'regular') return time + eventToText(event, colors);
  const lines = [
    ...headerLines(event).map((line) => colors.dim(line)),
    ...payloadLines(event.payload, options.show, options.showBytes),
  ];
  return [time + messageHeading(event, colors), ...lines.map((line) => `    ${line}`)].join('\n');
}

const headerLines = ({ headers }: RegularMessage): string[] =>
  Object.entries(headers).map(([name, value]) => `${printable(name)}: ${printable(value)}`);
