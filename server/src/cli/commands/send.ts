import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import type { Mailbox } from 'spread-sidecar-client';
import { AGREED_MESS, MAX_GROUP_NAME, MAX_MESSAGE_BODY } from '../../spread/wire/constants.js';
import { CommandFailure } from '../command-failure.js';
import { addConnectionOptions, type ConnectionOptions, withMailbox } from '../connection/connection.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { count } from '../terminal/output.js';
import { readAll } from '../terminal/read-all.js';
import { SuggestingOption } from '../terminal/suggesting-option.js';
import { header, messageType, SERVICE_TYPES, serviceType } from '../terminal/values.js';

interface SendOptions extends ConnectionOptions {
  readonly message?: string;
  readonly lines?: boolean;
  readonly service: number;
  readonly type: number;
  readonly header: Readonly<Record<string, string>>;
  readonly selfDiscard?: boolean;
  readonly quiet?: boolean;
}

export function sendCommand(context: CommandContext, done: Done): Command {
  const command = new Command('send')
    .summary('send a message to one or more groups')
    .description(
      'Sends one message to groups: the text of --message, or all of standard input. With --lines, the command sends each line of standard input as a message.',
    )
    .argument('<group...>', 'groups to send to, or private groups such as #alice#node1')
    .option('-m, --message <text>', 'text of the message (default: all of standard input)')
    .option('-l, --lines', 'send each line of standard input as a message')
    .addOption(
      new SuggestingOption(
        '--service <name>',
        'unreliable, reliable, fifo, causal, agreed or safe',
        SERVICE_TYPES,
      )
        .argParser(serviceType)
        .default(AGREED_MESS, 'agreed'),
    )
    .addOption(
      new Option('--type <number>', 'message type, a number that the application defines, -32768 to 32767')
        .argParser(messageType)
        .default(0),
    )
    .addOption(
      new Option(
        '--header <name=value>',
        'a header of each message, such as content-type=text/plain; repeatable',
      )
        .argParser(header)
        .default({}, 'none'),
    )
    .option('--self-discard', 'do not send a copy to the sender')
    .option('-q, --quiet', 'print nothing after success');
  return addConnectionOptions(command, context).action(async (groups: string[], options: SendOptions) => {
    done(await send(context, groups, options));
  });
}

async function send(context: CommandContext, groups: string[], options: SendOptions): Promise<number> {
  if (options.message !== undefined && options.lines)
    throw new CommandFailure(
      '--message and --lines cannot be combined: --lines reads standard input',
      ExitCode.usage,
    );
  // This mailbox only sends, so it needs no membership messages.
  return withMailbox(context, options, { membership: false }, async (mailbox) => {
    const report = options.lines
      ? await sendLines(context, mailbox, groups, options)
      : await sendOne(context, mailbox, groups, options);
    if (!options.quiet) await context.stderr.line(report);
    return ExitCode.ok;
  });
}

async function sendOne(
  context: CommandContext,
  mailbox: Mailbox,
  groups: string[],
  options: SendOptions,
): Promise<string> {
  const most = MAX_MESSAGE_BODY - MAX_GROUP_NAME;
  const message = options.message ?? (await readAll(context, most));
  const { service, type, selfDiscard, header: headers } = options;
  const limits = { selfDiscard, headers, signal: context.signal };
  const bytes = await mailbox.multigroupMulticast(service, groups, message, type, limits);
  return `sent ${count(bytes, 'byte')} to ${groups.join(', ')}`;
}

async function sendLines(
  context: CommandContext,
  mailbox: Mailbox,
  groups: string[],
  options: SendOptions,
): Promise<string> {
  const sender = mailbox.sender();
  const lines = createInterface({ input: context.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  const stop = () => lines.close();
  context.signal.addEventListener('abort', stop, { once: true });
  const { service, type, selfDiscard, header: headers } = options;
  for await (const line of lines) await sender.send(service, groups, line, type, { selfDiscard, headers });
  const { accepted } = await sender.close();
  context.signal.removeEventListener('abort', stop);
  context.signal.throwIfAborted();
  return `sent ${count(accepted, 'message')} to ${groups.join(', ')}`;
}
