import { isIP } from 'node:net';
import { type Command, Option } from 'commander';
import type { Mailbox, MailboxOptions, SidecarOptions, SpreadSidecar } from 'spread-sidecar-client';
import { CommandFailure } from '../command-failure.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { durationValue } from '../terminal/values.js';
import { TARGET_VARIABLE } from './client-variables.js';
import { firstToken, type OwnSidecar, ownSidecar, readOption } from './own-sidecar.js';
import { checkTlsFiles, type PemFile } from './tls-files.js';

/** Where a sidecar is when nobody says otherwise. */
export const DEFAULT_TARGET = '127.0.0.1:4813';

/** Options of commands that use a sidecar. */
export interface TargetOptions {
  /** Default: the sidecar that the environment describes. */
  readonly target?: string;
  /** In ms. */
  readonly timeout: number;
  /** A string: the value of the environment variable, which is neither true nor false. */
  readonly tls?: boolean | string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly tokenFile?: string;
  /** As `tls`. */
  readonly insecure?: boolean | string;
}

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
    `the sidecar: host:port or unix:/path (environment: ${TARGET_VARIABLE}; default: the sidecar whose configuration is in the environment, else ${DEFAULT_TARGET})`,
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
        .default(switchDefault(env.SPREAD_SIDECAR_TLS))
        .helpGroup(SECURITY),
    )
    .addOption(
      path(
        '--tls-ca <path>',
        "authorities of the sidecar's certificate, or that certificate itself",
        'SPREAD_SIDECAR_TLS_CA',
      ),
    )
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
        .default(switchDefault(env.SPREAD_SIDECAR_INSECURE))
        .helpGroup(SECURITY),
    )
    .addOption(target.default(env[TARGET_VARIABLE] || undefined))
    .addOption(
      new Option('--timeout <duration>', 'how long one call to the sidecar may take, 1ms to 1h')
        .argParser(durationValue('1ms', '1h'))
        .default(durationValue('1ms', '1h')(timeout), timeout),
    );
}

/** The default of a switch. A wrong value stays as it is: only a command that uses the switch reports it. */
function switchDefault(value: string | undefined): true | string | undefined {
  if (!value || /^(false|0)$/i.test(value)) return undefined;
  return /^(true|1)$/i.test(value) || value;
}

function readSwitch(variable: string, value: boolean | string | undefined): boolean {
  if (typeof value !== 'string') return value ?? false;
  throw new CommandFailure(`${variable} must be true, false, 1 or 0; got ${value}`, ExitCode.usage);
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

/** How a command speaks to a sidecar: the part that health needs too. */
export type Route = Required<Pick<SidecarOptions, 'target'>> &
  Pick<SidecarOptions, 'credentials' | 'channelOptions'>;

/**
 * The way to a sidecar. What a command is not told, it takes from the configuration of the sidecar that the environment
 * describes, where the target is that sidecar.
 *
 * @throws CommandFailure when a file can't be read or used, or a client certificate is missing
 */
export async function routeTo(options: TargetOptions, own: OwnSidecar | undefined): Promise<Route> {
  const target = options.target ?? own?.target ?? DEFAULT_TARGET;
  if (options.target === undefined && /^(?!unix:).*:0$/.test(target))
    throw new CommandFailure(
      'grpc.listen has port 0, a port that only the running sidecar knows: name its address with --target',
      ExitCode.usage,
    );
  const { tlsCa, tlsCert, tlsKey, tlsServerName } = options;
  const tls = readSwitch('SPREAD_SIDECAR_TLS', options.tls);
  const certificate = own?.certificate;
  const isNamed = tlsServerName !== undefined || tlsCa !== undefined;
  if (!tls && !isNamed && tlsCert === undefined && tlsKey === undefined && certificate === undefined)
    return { target };
  if (own?.requiresClientCertificate && tlsCert === undefined)
    throw new CommandFailure(
      `the sidecar at ${target} requires a client certificate: name one with --tls-cert and --tls-key`,
      ExitCode.usage,
    );
  const { clientCredentials } = await import('../../grpc/client/client-credentials.js');
  const read = (option: string, path: string | undefined): PemFile | undefined =>
    path === undefined ? undefined : { option, path, pem: readOption(option, path) };
  const pinned = isNamed ? undefined : read('grpc.tlsCert', certificate);
  const files = {
    ca: read('--tls-ca', tlsCa),
    cert: read('--tls-cert', tlsCert),
    key: tlsKey === undefined ? read('--tls-cert', tlsCert) : read('--tls-key', tlsKey),
  };
  checkTlsFiles(files);
  checkTlsFiles({ ca: pinned, cert: undefined, key: undefined });
  const address = addressOf(target);
  const credentials = clientCredentials({
    ca: files.ca?.pem,
    pinned: pinned?.pem,
    cert: files.cert?.pem,
    key: files.key?.pem,
    address: tlsServerName === undefined ? address : undefined,
  });
  if (tlsServerName !== undefined)
    return {
      target,
      credentials,
      channelOptions: {
        'grpc.ssl_target_name_override': tlsServerName,
        'grpc.default_authority': tlsServerName,
      },
    };
  // A client must not send an IP address as the name of the TLS server that it wants.
  const channelOptions = address === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' };
  return { target, credentials, channelOptions };
}

/** The IP address of a target; undefined where it has a name. */
function addressOf(target: string): string | undefined {
  const host = target.replace(/^(dns:(\/\/\/)?|ipv4:|ipv6:)/, '').replace(/:\d+$/, '');
  const bare = host.replace(/^\[|\]$/g, '');
  return isIP(bare) ? bare : undefined;
}

/**
 * How the client package is told of it.
 *
 * @throws CommandFailure as {@link routeTo}, and when a token can't be read
 */
export async function sidecarOptions(
  context: CommandContext,
  options: TargetOptions,
): Promise<SidecarOptions> {
  const own = await ownSidecar(context, options.target);
  const route = await routeTo(options, own);
  const { timeout, tokenFile, insecure } = options;
  const token = tokenFile === undefined ? own?.token() : firstToken('--token-file', tokenFile);
  return {
    ...route,
    callTimeoutMs: timeout,
    insecure: readSwitch('SPREAD_SIDECAR_INSECURE', insecure),
    ...(token === undefined ? {} : { token }),
  };
}

/** Uses a channel to the sidecar, and closes it, with its mailboxes, however that ends. */
async function withSidecar<T>(
  context: CommandContext,
  options: TargetOptions,
  use: (sidecar: SpreadSidecar) => Promise<T>,
): Promise<T> {
  const client = await import('spread-sidecar-client');
  const sidecar = new client.SpreadSidecar(await sidecarOptions(context, options));
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
  return withSidecar(context, options, async (sidecar) => {
    const { spreadName, user: privateName } = options;
    return use(await sidecar.connect({ spreadName, privateName, ...more, signal: context.signal }));
  });
}
