import picocolors from 'picocolors';
import { type Logger as Pino, pino } from 'pino';
import { LogDestination, type LogStream } from './log-destination.js';
import { prettyLine } from './pretty-line.js';
import { withoutSecrets, withoutSecretTexts } from './redaction.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

type Fields = Readonly<Record<string, unknown>>;

/** Writes an entry: a sentence, with fields for programs. An error goes into the field `err`. */
interface Write {
  (message: string): void;
  (fields: Fields, message: string): void;
}

/** All that the rest knows of the log. */
export interface Logger extends Readonly<Record<LogLevel, Write>> {
  /** A logger that adds these fields to each entry. */
  child(fields: Fields): Logger;
  isLevelEnabled(level: LogLevel): boolean;
}

export interface LoggerOptions {
  /** The least severe entries that are written. */
  readonly level: LogLevel | 'silent';
  /** auto: pretty on a terminal, json otherwise. */
  readonly format: 'json' | 'pretty' | 'auto';
  /** Whether the destination is a terminal; it then gets colours too. Default false. */
  readonly terminal?: boolean;
  /**
   * Where complete lines go. At most 1 MiB of them waits for a slow reader; further lines are dropped, and counted in a line of
   * their own. Default: standard error, written before the call returns.
   */
  readonly destination?: LogStream;
}

/** Makes the log. Fields with a secret's name, mailbox ids and bearer tokens are redacted wherever they stand. */
export function createLogger(options: LoggerOptions): Logger {
  const { level, format, terminal = false } = options;
  const stream: LogStream = options.destination ?? pino.destination({ dest: 2, sync: true });
  const destination = new LogDestination(stream, (dropped) =>
    log.warn({ dropped }, 'log lines were discarded because the reader of the log is too slow'),
  );
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const colors = picocolors.createColors(terminal);
  const write = (json: string) => {
    const line = withoutSecretTexts(json);
    destination.write(pretty ? prettyLine(line, colors) : line);
  };
  const log: Pino = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: { err: errorFields },
    },
    { write },
  );
  return narrowed(log);
}

// pino gives the fields of a child to no formatter, so they are redacted before it gets them.
function narrowed(log: Pino): Logger {
  return {
    trace: log.trace.bind(log),
    debug: log.debug.bind(log),
    info: log.info.bind(log),
    warn: log.warn.bind(log),
    error: log.error.bind(log),
    fatal: log.fatal.bind(log),
    child: (fields) => narrowed(log.child(withoutSecrets(fields))),
    isLevelEnabled: (level) => log.isLevelEnabled(level),
  };
}

/** Writes nothing. */
export const silentLogger: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
  child: () => silentLogger,
  isLevelEnabled: () => false,
};

/** What is shown of an error. Its other properties may hold anything. */
function errorFields(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    stack: cause instanceof Error ? `${stack}\ncaused by: ${cause.stack}` : stack,
  };
}
