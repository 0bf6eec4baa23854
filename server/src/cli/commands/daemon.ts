import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { Command, Option } from 'commander';
import { isIpv6Only } from '../../config/index.js';
import {
  type DaemonEvent,
  EmbeddedDaemon,
  listen,
  parseSpreadConf,
  type SpreadConf,
  SpreadConfError,
} from '../../daemon/index.js';
import { ConnectionBudget, mostConnections, openFilesLimit } from '../../net/connection-budget.js';
import { listenFailure, type Place } from '../checks/listen-check.js';
import { CommandFailure, isListenError } from '../command-failure.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { printable } from '../terminal/event-text.js';
import { stopped } from '../terminal/interruption.js';
import { count } from '../terminal/output.js';
import { SuggestingOption } from '../terminal/suggesting-option.js';
import { ThrottledLines } from '../terminal/throttled-lines.js';
import { wholeNumber } from '../terminal/values.js';

interface DaemonOptions {
  readonly name?: string;
  readonly config?: string;
  readonly port?: number;
  readonly listen?: string[];
  readonly socket: string;
  readonly maxSessionMessages?: number;
  readonly quiet?: boolean;
}

export function daemonCommand(context: CommandContext, done: Done): Command {
  return new Command('daemon')
    .summary('run the embedded Spread daemon alone')
    .description(
      'Runs the embedded Spread daemon without a sidecar. The daemon is a single node for development and tests. Any Spread client can connect to it. Accepts -n and -c like the real daemon.',
    )
    .option(
      '-n, --name <name>',
      'name of this daemon, 1 to 19 characters (default: from the file of -c, else localhost)',
    )
    .option(
      '-c, --config <file>',
      'path of a spread.conf. The daemon uses the settings that apply to a single node, and reports the lines that it ignores',
    )
    .addOption(
      new Option(
        '-p, --port <port>',
        'TCP port, 0 for any free port (default: from the file of -c, else 4803)',
      ).argParser(wholeNumber(0, 65_535)),
    )
    .option('--listen <host...>', 'hosts to listen on (default: from the file of -c, else 127.0.0.1)')
    .addOption(
      new SuggestingOption('--socket <path>', 'Unix socket; auto: /tmp/<port>; off: none', [
        'auto',
        'off',
      ]).default('auto'),
    )
    .addOption(
      new Option(
        '--max-session-messages <number>',
        'disconnect a client that has more unread messages than this number (default: from the file of -c, else 1000)',
      ).argParser(wholeNumber(1, 1_000_000)),
    )
    .option('-q, --quiet', 'do not print when sessions start and end')
    .action(async (options: DaemonOptions) => {
      done(await runDaemon(context, options));
    });
}

async function runDaemon(context: CommandContext, options: DaemonOptions): Promise<number> {
  const { stdout, stderr, signal } = context;
  context.runWithoutReader();
  const conf = options.config === undefined ? undefined : await readConf(options.config, options.name);
  for (const { line, what } of conf?.ignored ?? [])
    await stderr.line(stderr.colors.yellow(`${options.config}:${line}: ignored: ${printable(what)}`));
  const lines = new ThrottledLines((line) => void stdout.line(line));
  const daemon = makeDaemon(options, conf, (event) => {
    if (!options.quiet) lines.write(event.kind, () => eventLine(event));
  });
  const port = options.port ?? conf?.port ?? 4803;
  const host = options.listen ?? conf?.clientAddresses ?? ['127.0.0.1'];
  const openFiles = openFilesLimit();
  const budget = new ConnectionBudget(mostConnections(openFiles));
  const problems = new ThrottledLines((line) => void stderr.line(line));
  const tcp = host.length === 0 ? undefined : { host, port };
  const unixPath = socketPath(options.socket, port);
  const listening = await listen({
    daemon,
    tcp,
    unixPath,
    admit: (socket) => {
      const isAdmitted = budget.admit(socket);
      if (!isAdmitted) problems.write('open files', () => tooManyConnections(openFiles));
      return isAdmitted;
    },
    onError: (error) => problems.write('error', () => `error: ${error.message}`),
  }).catch(async (error: Error) => {
    await daemon.close();
    throw isListenError(error) ? await listenFailure(daemonAddresses(host, port, unixPath), error) : error;
  });
  try {
    const places = host.map((name) => `${listening.tcpPort}@${name}`);
    if (listening.unixPath !== undefined) places.push(listening.unixPath);
    await stdout.line(
      `Spread daemon ${daemon.name} (embedded, a single node) is ready: ${places.join(', ')}`,
    );
    await stopped(signal);
  } finally {
    await listening.close();
    await daemon.close();
    lines.flush();
    problems.flush();
  }
  return ExitCode.ok;
}

function daemonAddresses(hosts: readonly string[], port: number, unixPath: string | undefined): Place[] {
  const what = 'daemon';
  const addresses = hosts.map((host) => ({ kind: 'tcp' as const, host, port }));
  const tcp = addresses.map((address) => ({
    what,
    flag: '--port, --listen',
    address,
    ipv6Only: isIpv6Only(address, addresses),
  }));
  if (unixPath === undefined) return tcp;
  return [...tcp, { what, flag: '--socket', address: { kind: 'unix', path: unixPath } }];
}

function makeDaemon(
  options: DaemonOptions,
  conf: SpreadConf | undefined,
  onEvent: (event: DaemonEvent) => void,
): EmbeddedDaemon {
  try {
    return new EmbeddedDaemon({
      // The daemon name of the file, which Spread truncates to 19 bytes. -n selects one of these names.
      name: conf?.name ?? options.name,
      maxSessionMessages: options.maxSessionMessages ?? conf?.maxSessionMessages,
      id: conf?.virtualId,
      onEvent,
    });
  } catch (error) {
    const message = (error as Error).message.replace(/^daemon_name /, '--name ');
    throw new CommandFailure(message, ExitCode.usage, error);
  }
}

async function readConf(path: string, name: string | undefined): Promise<SpreadConf> {
  const text = await readFile(path, 'latin1').catch((error: Error) => {
    throw new CommandFailure(`cannot read the configuration file: ${error.message}`, ExitCode.usage, error);
  });
  const localAddresses = Object.values(networkInterfaces()).flatMap(
    (all) => all?.map(({ address }) => address) ?? [],
  );
  try {
    return parseSpreadConf(text, { name, localAddresses });
  } catch (error) {
    if (!(error instanceof SpreadConfError)) throw error;
    const lines = error.mistakes.map((mistake) => `  ${path}:${mistake.line}: ${printable(mistake.message)}`);
    throw new CommandFailure(
      ['the configuration file has mistakes:', ...lines].join('\n'),
      ExitCode.usage,
      error,
    );
  }
}

function socketPath(socket: string, port: number): string | undefined {
  if (socket === 'off') return undefined;
  // A free port is known only after listening, and no client would look for the socket of such a port.
  if (socket === 'auto') return port === 0 ? undefined : `/tmp/${port}`;
  if (!socket.startsWith('/'))
    throw new CommandFailure(
      `--socket must be an absolute path, auto or off; got '${socket}'`,
      ExitCode.usage,
    );
  return socket;
}

const tooManyConnections = (openFiles: number): string =>
  `error: a connection was closed because this process may open at most ${openFiles} files: raise the limit (ulimit -n, or nofile of the container)`;

/** The line for an event. */
export function eventLine(event: DaemonEvent): string {
  switch (event.kind) {
    case 'session-opened': {
      const { major, minor, patch } = event.version;
      const membership = event.membership ? '' : ', without membership messages';
      return `+ ${event.privateGroup} (${event.transport}, Spread ${major}.${minor}.${patch}${membership})`;
    }
    case 'session-closed':
      return `- ${event.privateGroup} (${event.reason})`;
    case 'session-cut':
      return `! ${event.privateGroup} was disconnected: ${printable(event.message)}; ${count(event.messagesLost, 'message')} lost`;
    case 'client-refused':
      return `! a client was rejected (${event.code}): ${printable(event.message)}`;
    case 'client-abandoned':
      return `! a connection ended during the handshake: ${printable(event.message)}`;
  }
}
