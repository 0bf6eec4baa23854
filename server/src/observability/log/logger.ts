import picocolors from 'picocolors';
import { type Logger as Pino, pino } from 'pino';
import { currentTrace } from '../trace-context.js';
import { LogDestination, type LogStream } from './log-destination.js';
import type { LogFields } from './log-fields.js';
import { prettyLine } from './pretty-line.js';
import { withoutSecrets, withoutSecretTexts } from './redaction.js';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** Writes an entry: a message, with fields for programs. An error belongs into the field `err`. */
interface Write {
  (message: string): void;
  (fields: LogFields, message: string): void;
}

/** The part of the log that all other code uses. */
export interface Logger extends Readonly<Record<LogLevel, Write>> {
  /** A logger that adds these fields to each entry. */
  child(fields: LogFields): Logger;
  isLevelEnabled(level: LogLevel): boolean;
}

export interface LoggerOptions {
  /** The lowest severity of written entries. */
  readonly level: LogLevel | 'silent';
  /** auto: pretty on a terminal, json otherwise. */
  readonly format: 'json' | 'pretty' | 'auto';
  /** Whether the destination is a terminal, which then gets colours. Default: false. */
  readonly terminal?: boolean;
  /**
   * The destination of complete lines. At most 1 MiB of them wait for a slow reader. Further lines are discarded,
   * and a separate line has their count. Default: standard error, written before the call returns.
   */
  readonly destination?: LogStream;
}

/** Creates the log. Fields with the name of a secret, mailbox IDs and bearer tokens are redacted everywhere. */
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
      mixin: traceFields,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
      serializers: { err: errorFields },
    },
    { write },
  );
  return narrowed(log);
}

// pino passes the fields of a child to no formatter, so they are redacted before.
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

/** The fields that connect a line with the span in which it was written, with the names of OpenTelemetry. */
function traceFields(): object {
  const ids = currentTrace();
  return ids === undefined ? {} : { trace_id: ids.traceId, span_id: ids.spanId };
}

/** The shown properties of an error. Its other properties can contain anything. */
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
