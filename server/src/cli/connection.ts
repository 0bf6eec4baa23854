import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Mailbox, MailboxOptions, SidecarOptions, SpreadSidecar } from 'spread-sidecar-client';
import { CommandFailure } from './command-failure.js';
import type { CommandContext } from './context.js';
import { ExitCode } from './exit-codes.js';
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
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly tokenFile?: string;
  /** Where it is known without a file. */
  readonly token?: string;
  readonly insecure?: boolean;
}

/** The environment variables of commands that use a sidecar. */
export const CLIENT_VARIABLES = [
  TARGET_VARIABLE,
  'SPREAD_SIDECAR_TLS',
  'SPREAD_SIDECAR_TLS_CA',
  'SPREAD_SIDECAR_TLS_CERT',
  'SPREAD_SIDECAR_TLS_KEY',
  'SPREAD_SIDECAR_TLS_SERVER_NAME',
  'SPREAD_SIDECAR_TOKEN_FILE',
  'SPREAD_SIDECAR_INSECURE',
];

/** Options of commands that open mailboxes. */
export interface ConnectionOptions extends TargetOptions {
  readonly spreadName?: string;
  readonly user?: string;
}

const SECURITY = 'A sidecar with TLS or tokens:';

/** Where the sidecar is, and how long it may take. */
export function addTargetOptions(command: Command, { env }: CommandContext, timeout = '10s'): Command {
  const target = new Option(
    '-t, --target <address>',
    `the sidecar: host:port or unix:/path (environment: ${TARGET_VARIABLE})`,
  );
  const path = (flags: string, text: string, variable: string) =>
    new Option(flags, `${text} (environment: ${variable})`)
      .default(env[variable] || undefined)
      .helpGroup(SECURITY);
  return command
    .addOption(
      new Option(
        '--tls',
        'speak TLS; also when one of its files is named (environment: SPREAD_SIDECAR_TLS=true)',
      )
        .default(isOn(env.SPREAD_SIDECAR_TLS))
        .helpGroup(SECURITY),
    )
    .addOption(path('--tls-ca <path>', "authorities of the sidecar's certificate", 'SPREAD_SIDECAR_TLS_CA'))
    .addOption(path('--tls-cert <path>', 'certificate of this client', 'SPREAD_SIDECAR_TLS_CERT'))
    .addOption(path('--tls-key <path>', 'its private key', 'SPREAD_SIDECAR_TLS_KEY'))
    .addOption(
      path(
        '--tls-server-name <name>',
        "the name in the sidecar's certificate, if it is not the target's",
        'SPREAD_SIDECAR_TLS_SERVER_NAME',
      ),
    )
    .addOption(
      path('--token-file <path>', 'a file whose first line is the client token', 'SPREAD_SIDECAR_TOKEN_FILE'),
    )
    .addOption(
      new Option(
        '--insecure',
        'send the token also without TLS to another machine (environment: SPREAD_SIDECAR_INSECURE=true)',
      )
        .default(isOn(env.SPREAD_SIDECAR_INSECURE))
        .helpGroup(SECURITY),
    )
    .addOption(target.default(env[TARGET_VARIABLE] || DEFAULT_TARGET))
    .addOption(
      new Option('--timeout <duration>', 'how long one call to the sidecar may take, 1ms to 1h')
        .argParser(durationValue('1ms', '1h'))
        .default(durationValue('1ms', '1h')(timeout), timeout),
    );
}

const isOn = (value: string | undefined) => /^(true|1)$/i.test(value ?? '') || undefined;

/** As {@link addTargetOptions}, and which daemon and name a mailbox has. */
export function addConnectionOptions(command: Command, context: CommandContext): Command {
  return addTargetOptions(command, context)
    .option(
      '-s, --spread-name <name>',
      "the daemon: port, port@host or the path of a socket (default: the sidecar's)",
    )
    .option('-u, --user <name>', 'the private name, at most 10 characters (default: the daemon makes one)');
}

/**
 * How the client package is told of it.
 *
 * @throws CommandFailure when a file can't be read
 */
export function sidecarOptions(options: TargetOptions): SidecarOptions {
  const { target, timeout, tlsCa, tlsCert, tlsKey, tlsServerName, tokenFile, insecure } = options;
  const token = tokenFile === undefined ? options.token : tokenOf(tokenFile);
  const files = { ca: tlsCa, cert: tlsCert, key: tlsKey ?? tlsCert };
  const wantsTls = options.tls || tlsServerName !== undefined || Object.values(files).some((path) => path);
  const tls = { ca: read('--tls-ca', files.ca), cert: read('--tls-cert', files.cert) };
  return {
    target,
    callTimeoutMs: timeout,
    insecure: insecure ?? false,
    ...(wantsTls ? { tls: { ...tls, key: read('--tls-key', files.key), serverName: tlsServerName } } : {}),
    ...(token === undefined ? {} : { token }),
  };
}

/** Also of a file of several: a line may have a name before its token, and comments count for nothing. */
function tokenOf(path: string): string {
  const lines = (read('--token-file', path)?.toString('utf8') ?? '').split('\n').map((line) => line.trim());
  const token = lines
    .find((line) => line !== '' && !line.startsWith('#'))
    ?.split(/\s+/)
    .at(-1);
  if (token === undefined) throw new CommandFailure(`--token-file ${path} holds no token`, ExitCode.usage);
  return token;
}

function read(flag: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandFailure(`can't read ${flag}: ${(error as Error).message}`, ExitCode.usage, error);
  }
}

/** Uses a channel to the sidecar, and closes it, with its mailboxes, however that ends. */
export async function withSidecar<T>(
  options: TargetOptions,
  use: (sidecar: SpreadSidecar) => Promise<T>,
): Promise<T> {
  const client = await import('spread-sidecar-client');
  const sidecar = new client.SpreadSidecar(sidecarOptions(options));
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
