import { type Command, Option } from 'commander';
import type { Mailbox, MailboxOptions, SpreadSidecar } from 'spread-sidecar-client';
import type { CommandContext } from './context.js';
import { durationValue } from './values.js';

/** The environment variable that says where the sidecar is, for commands that use one. */
export const TARGET_VARIABLE = 'SPREAD_SIDECAR_TARGET';

/** Where a sidecar is when nobody says otherwise. */
export const DEFAULT_TARGET = '127.0.0.1:4813';

/** Options of commands that use a sidecar. */
export interface TargetOptions {
  readonly target: string;
  /** In ms. */
  readonly timeout: number;
}

/** Options of commands that open mailboxes. */
export interface ConnectionOptions extends TargetOptions {
  readonly spreadName?: string;
  readonly user?: string;
}

/** Where the sidecar is, and how long it may take. */
export function addTargetOptions(command: Command, { env }: CommandContext, timeout = '10s'): Command {
  const target = new Option(
    '-t, --target <address>',
    `the sidecar: host:port or unix:/path (environment: ${TARGET_VARIABLE})`,
  );
  return command
    .addOption(target.default(env[TARGET_VARIABLE] || DEFAULT_TARGET))
    .addOption(
      new Option('--timeout <duration>', 'how long one call to the sidecar may take, 1ms to 1h')
        .argParser(durationValue('1ms', '1h'))
        .default(durationValue('1ms', '1h')(timeout), timeout),
    );
}

/** As {@link addTargetOptions}, and which daemon and name a mailbox has. */
export function addConnectionOptions(command: Command, context: CommandContext): Command {
  return addTargetOptions(command, context)
    .option(
      '-s, --spread-name <name>',
      "the daemon: port, port@host or the path of a socket (default: the sidecar's)",
    )
    .option('-u, --user <name>', 'the private name, at most 10 characters (default: the daemon makes one)');
}

/** Uses a channel to the sidecar, and closes it, with its mailboxes, however that ends. */
export async function withSidecar<T>(
  { target, timeout }: TargetOptions,
  use: (sidecar: SpreadSidecar) => Promise<T>,
): Promise<T> {
  const client = await import('spread-sidecar-client');
  const sidecar = new client.SpreadSidecar({ target, callTimeoutMs: timeout });
  let result: T;
  try {
    result = await use(sidecar);
  } catch (error) {
    // The first failure is the one to tell; that nothing can be disconnected any more mostly follows from it.
    await sidecar.close().catch(() => {});
    throw error;
  }
  await sidecar.close();
  return result;
}

/** Uses one mailbox, and disconnects it however that ends. */
export function withMailbox<T>(
  context: CommandContext,
  options: ConnectionOptions,
  more: MailboxOptions,
  use: (mailbox: Mailbox) => Promise<T>,
): Promise<T> {
  return withSidecar(options, async (sidecar) => {
    const { spreadName, user: privateName } = options;
    return use(await sidecar.connect({ spreadName, privateName, ...more, signal: context.signal }));
  });
}
