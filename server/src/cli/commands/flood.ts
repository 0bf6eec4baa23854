import { randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import type { SpreadSidecar } from 'spread-sidecar-client';
import { AGREED_MESS, MAX_GROUP_NAME, MAX_MESSAGE_BODY } from '../../spread/wire/constants.js';
import { CommandFailure } from '../command-failure.js';
import { addTargetOptions, sidecarOptions, type TargetOptions } from '../connection/connection.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { type FloodPlan, STAMP_BYTES } from '../flood/flood-plan.js';
import { FloodProgress } from '../flood/flood-progress.js';
import { reportToText } from '../flood/flood-text.js';
import { Interruption } from '../terminal/interruption.js';
import { SuggestingOption } from '../terminal/suggesting-option.js';
import { durationValue, SERVICE_TYPES, serviceType, sizeValue, wholeNumber } from '../terminal/values.js';

interface FloodOptions extends TargetOptions {
  readonly spreadName?: string;
  readonly group?: string;
  readonly senders: number;
  readonly receivers: number;
  readonly size: number;
  readonly count?: number;
  readonly seconds?: number;
  readonly rate?: number;
  readonly window: number;
  readonly service: number;
  readonly patience: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const DEFAULT_COUNT = 10_000;

export function floodCommand(context: CommandContext, done: Done): Command {
  const most = MAX_MESSAGE_BODY - MAX_GROUP_NAME;
  const command = new Command('flood')
    .summary('measure rates and latencies')
    .description(
      'Sends messages between mailboxes through the sidecar, at full speed or at a rate, and reports rates, latencies, lost messages and messages out of order. Progress goes to standard error, the result to standard output.',
    )
    .option(
      '-s, --spread-name <name>',
      "the daemon: port, port@host or the path of a socket (default: the sidecar's default daemon)",
    )
    .option('-g, --group <name>', 'the group to use (default: a new, unique group)')
    .addOption(
      new Option('--senders <number>', 'number of mailboxes that send, 1 to 100')
        .argParser(wholeNumber(1, 100))
        .default(1),
    )
    .addOption(
      new Option('--receivers <number>', 'number of mailboxes that receive, 0 to 100')
        .argParser(wholeNumber(0, 100))
        .default(1),
    )
    .addOption(
      new Option('-b, --size <size>', `bytes per message, ${STAMP_BYTES} to ${most}`)
        .argParser(sizeValue(String(STAMP_BYTES), String(most)))
        .default(1000),
    )
    .addOption(
      new Option(
        '-m, --count <number>',
        `number of messages per sender, 1 to 1000000000 (default: ${DEFAULT_COUNT}, unless --seconds is given)`,
      ).argParser(wholeNumber(1, 1e9)),
    )
    .addOption(
      new Option('--seconds <number>', 'time to send, in seconds, 1 to 86400').argParser(
        wholeNumber(1, 86_400),
      ),
    )
    .addOption(
      new Option(
        '--rate <number>',
        'messages per second that each sender sends (default: full speed)',
      ).argParser(wholeNumber(1, 10_000_000)),
    )
    .addOption(
      new Option('--window <number>', 'maximum number of messages in transit to a receiver, 1 to 1000000')
        .argParser(wholeNumber(1, 1_000_000))
        .default(1000),
    )
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
      new Option('--patience <duration>', 'time without messages after which missing messages count as lost')
        .argParser(durationValue('10ms', '1h'))
        .default(5000, '5s'),
    )
    .option('-j, --json', 'print the result as a JSON object')
    .option('-q, --quiet', 'show no progress');
  return addTargetOptions(command, context).action(async (options: FloodOptions) => {
    done(await flood(context, options));
  });
}

async function flood(context: CommandContext, options: FloodOptions): Promise<number> {
  const plan = planOf(options);
  const { SpreadSidecar } = await import('spread-sidecar-client');
  const { Flooder } = await import('../flood/flooder.js');
  // A separate connection for each mailbox, like in applications.
  const sidecars: SpreadSidecar[] = [];
  const reach = await sidecarOptions(context, options);
  const open = () => {
    const sidecar = new SpreadSidecar(reach);
    sidecars.push(sidecar);
    return sidecar.connect({ spreadName: options.spreadName, signal: context.signal });
  };
  const flooder = new Flooder(plan);
  const progress = options.quiet ? undefined : new FloodProgress(context.stderr, plan, flooder.tally);
  try {
    await flooder.run(open, context.signal);
  } finally {
    await progress?.stop();
    await Promise.allSettled(sidecars.map((sidecar) => sidecar.close()));
  }
  const report = flooder.tally.report();
  await context.stdout.line(options.json ? JSON.stringify(report) : reportToText(report));
  if (flooder.refusal) throw flooder.refusal;
  if (report.lost > 0 || report.outOfOrder > 0)
    throw new CommandFailure('messages were lost or arrived out of order', ExitCode.failure);
  return context.signal.reason instanceof Interruption ? context.signal.reason.exitCode : ExitCode.ok;
}

function planOf(options: FloodOptions): FloodPlan {
  const { senders, receivers, size, rate, window, service } = options;
  return {
    senders,
    receivers,
    size,
    rate,
    window,
    service,
    group: options.group ?? `flood-${randomBytes(4).toString('hex')}`,
    count: options.count ?? (options.seconds === undefined ? DEFAULT_COUNT : undefined),
    durationMs: options.seconds === undefined ? undefined : options.seconds * 1000,
    patienceMs: options.patience,
  };
}
