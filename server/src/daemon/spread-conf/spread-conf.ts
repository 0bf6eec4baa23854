import { checkDaemonName } from '../../spread/wire/names.js';
import { SpreadConfError, tokenize } from './lexer.js';
import { type DaemonEntry, SpreadConfParser } from './parser.js';
import { MAX_DAEMON_NAME } from './settings.js';

export { type ConfMistake, SpreadConfError } from './lexer.js';

/** The settings that a single node needs from a spread.conf. */
export interface SpreadConf {
  /** The daemon's own name, at most 19 bytes. */
  readonly name: string;
  /** The daemon's own address: an IP address, or the host name if the file has no address. */
  readonly address: string;
  /** 1..65535. 4803 if the file has no port. */
  readonly port: number;
  /**
   * TCP addresses for clients: the interfaces that the file names for clients, otherwise the daemon's address.
   * Empty when the file names interfaces but none for clients.
   */
  readonly clientAddresses: readonly string[];
  /** Limit of messages queued for one client. Undefined if the file has none. */
  readonly maxSessionMessages: number | undefined;
  /** First word of group IDs, if the file has one. */
  readonly virtualId: number | undefined;
  /** All settings without effect, in the order of the lines. */
  readonly ignored: readonly { readonly line: number; readonly what: string }[];
}

export interface SpreadConfOptions {
  /**
   * The daemon of the file to run, like real Spread's `-n`: at most 19 bytes, because Spread truncates the names
   * of its file.
   */
  readonly name?: string;
  /** Addresses of this machine. Without a name, the first daemon with one of them is used. */
  readonly localAddresses?: readonly string[];
}

/**
 * Parses the settings of a spread.conf of Spread 5.0.1 that a single daemon needs.
 * @throws SpreadConfError with the line of each mistake; also when the own daemon is not in the file, or when the
 * file requires authentication or access control, which the embedded daemon does not have.
 */
export function parseSpreadConf(text: string, options: SpreadConfOptions = {}): SpreadConf {
  const parser = new SpreadConfParser(tokenize(text));
  parser.file();
  if (parser.mistakes.length > 0) throw new SpreadConfError(parser.mistakes);
  const own = select(parser.daemons, options, parser.lastLine);
  for (const other of parser.daemons)
    if (other !== own)
      parser.ignored.push({
        line: other.line,
        what: `daemon '${other.name}': the embedded daemon is a single node`,
      });
  return {
    name: own.name,
    address: own.address,
    port: own.port,
    clientAddresses: own.interfaces?.filter((i) => i.forClients).map((i) => i.address) ?? [own.address],
    maxSessionMessages: parser.maxSessionMessages,
    virtualId: own.virtualId,
    ignored: parser.ignored.sort((a, b) => a.line - b.line),
  };
}

function select(daemons: readonly DaemonEntry[], options: SpreadConfOptions, line: number): DaemonEntry {
  const names = daemons.map((daemon) => `'${daemon.name}'`).join(', ');
  const own =
    options.name !== undefined
      ? daemons.find((daemon) => daemon.name === options.name)
      : options.localAddresses
        ? daemons.find((daemon) => isLocal(daemon.address, options.localAddresses!))
        : daemons[0];
  const fail = (at: number, message: string): never => {
    throw new SpreadConfError([{ line: at, message }]);
  };
  if (options.name !== undefined && options.name.length > MAX_DAEMON_NAME)
    return fail(
      line,
      `the daemon name '${options.name}' of -n has ${options.name.length} bytes; at most ${MAX_DAEMON_NAME} are allowed, because Spread shortens the names in the file to this length`,
    );
  if (!own)
    return options.name !== undefined
      ? fail(line, `no daemon has the name '${options.name}'; the file has ${names}`)
      : fail(line, `no daemon in the file has an address of this machine; choose a daemon with -n: ${names}`);
  try {
    checkDaemonName(own.name);
  } catch (error) {
    fail(own.line, (error as Error).message);
  }
  return own;
}

const isLocal = (address: string, local: readonly string[]): boolean =>
  local.includes(address) || (address === 'localhost' && local.some((a) => a === '127.0.0.1' || a === '::1'));
