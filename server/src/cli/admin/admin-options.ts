import { type Command, InvalidArgumentError, Option } from 'commander';
import { isLoopback } from '../../config/values/addresses.js';
import { CommandFailure } from '../command-failure.js';
import { readSwitch, switchDefault } from '../connection/connection.js';
import { firstToken, isReachedBy, targetOf } from '../connection/own-sidecar.js';
import { loadServeConfig } from '../connection/serve-config.js';
import type { CommandContext } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { SuggestingOption } from '../terminal/suggesting-option.js';
import { durationValue, wholeNumber } from '../terminal/values.js';
import type { AdminPort } from './admin-client.js';

const DEFAULT_PORT = 4814;
const SECURITY = 'Options for an admin port with a token:';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Options of commands that use the admin port. */
export interface AdminOptions {
  /** Default: the admin port of the sidecar that the environment describes. */
  readonly admin?: Address;
  readonly adminTokenFile?: string;
  /** A string is an invalid value of the environment variable. */
  readonly insecure?: boolean | string;
  /** Unit: ms. */
  readonly timeout: number;
  readonly json?: boolean;
}

/** Options of commands that print rows. */
export interface RowOptions extends AdminOptions {
  readonly sort?: string;
  readonly filter?: string;
  readonly limit?: number;
  readonly offset?: number;
}

/** @param json - description of `--json` */
export function addAdminOptions(command: Command, { env }: CommandContext, json: string): Command {
  return command
    .option('-j, --json', json)
    .addOption(
      new Option(
        '-a, --admin <address>',
        `the admin port of the sidecar, host:port (default: admin.listen of the sidecar whose configuration is in the environment, else 127.0.0.1:${DEFAULT_PORT})`,
      ).argParser(adminAddress),
    )
    .addOption(
      new Option('--timeout <duration>', 'maximum time of one request, 1ms to 1h')
        .argParser(durationValue('1ms', '1h'))
        .default(10_000, '10s'),
    )
    .addOption(
      new Option(
        '--admin-token-file <path>',
        'a file with the admin token in its first line (default: the admin token of the configuration in the environment)',
      ).helpGroup(SECURITY),
    )
    .addOption(
      new Option(
        '--insecure',
        'allow sending the token to another machine without TLS (environment: SPREAD_SIDECAR_INSECURE=true)',
      )
        .default(switchDefault(env.SPREAD_SIDECAR_INSECURE))
        .helpGroup(SECURITY),
    );
}

/** @param orders - names for `--sort`; the sidecar checks them */
export function addRowOptions(command: Command, orders: readonly string[], filtered: string): Command {
  return command
    .addOption(
      new SuggestingOption(
        '--sort <name>',
        `order of the rows: ${orders.join(', ')}; --sort=-NAME sorts in descending order (default: ${orders[0]})`,
        orders.flatMap((order) => [order, `-${order}`]),
      ),
    )
    .option('--filter <text>', `show only rows with this text in ${filtered}`)
    .addOption(
      new Option('--limit <number>', 'maximum number of rows, 1 to 1000 (default: 100)').argParser(
        wholeNumber(1, 1000),
      ),
    )
    .addOption(
      new Option('--offset <number>', 'number of rows to skip (default: 0)').argParser(
        wholeNumber(0, 10_000_000),
      ),
    );
}

function adminAddress(text: string): Address {
  const match = /^(?:http:\/\/)?(?:\[([0-9a-f:.]+)\]|([^:/\s[\]@?#]+))(?::(\d{1,5}))?\/?$/i.exec(text);
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (!match || port < 1 || port > 65_535)
    throw new InvalidArgumentError('It must be host:port, such as 127.0.0.1:4814 or [::1]:4814.');
  return { host: match[1] ?? match[2]!, port };
}

/** @throws CommandFailure, and ConfigError when no address is given and the configuration is invalid */
export async function adminPort(context: CommandContext, options: AdminOptions): Promise<AdminPort> {
  const given = options.admin;
  const own = await loadServeConfig(context, {}).catch((error) => {
    if (given === undefined) throw error;
    return undefined;
  });
  const admin = own?.config.admin;
  const address = given ?? ownAddress(admin?.listen);
  const name = address.host.includes(':')
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
  const isOwn = admin !== undefined && admin.listen !== 'off' && isReachedBy(admin.listen, name);
  let token: string | undefined;
  if (options.adminTokenFile !== undefined) token = firstToken('--admin-token-file', options.adminTokenFile);
  else if (given === undefined || isOwn)
    token = admin?.token || (admin?.tokenFile ? firstToken('admin.tokenFile', admin.tokenFile) : undefined);
  const isHere = given === undefined || isOwn || isLoopback(address.host) || address.host === 'localhost';
  if (token !== undefined && !isHere && !readSwitch('SPREAD_SIDECAR_INSECURE', options.insecure))
    throw new CommandFailure(
      `the admin token would be sent to ${name} without TLS: use a port forward on this machine, or allow it with --insecure`,
      ExitCode.usage,
    );
  return { ...address, token, timeoutMs: options.timeout, signal: context.signal };
}

function ownAddress(listen: { readonly host: string; readonly port: number } | 'off' | undefined): Address {
  if (listen === undefined || listen === 'off')
    throw new CommandFailure(
      'admin.listen is off in the configuration of this environment: set the address of the admin port with --admin',
      ExitCode.usage,
    );
  if (listen.port === 0)
    throw new CommandFailure(
      'admin.listen has port 0, so only the running sidecar knows the port: set the address of the admin port with --admin',
      ExitCode.usage,
    );
  const { host, port } = listen;
  return adminAddress(targetOf({ kind: 'tcp', host, port }));
}
