import {
  CALL_FIELDS,
  LINE_FIELDS,
  type LogFieldType,
} from '../../server/src/observability/log/log-fields.js';
import type { Logger, LogLevel } from '../../server/src/observability/log/logger.js';

const FIELDS: Readonly<Record<string, { readonly type: LogFieldType } | undefined>> = {
  ...LINE_FIELDS,
  ...CALL_FIELDS,
};

const isOfType: Readonly<Record<LogFieldType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'list of strings': (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
};

/** The deviations of a log line in JSON from the schema of docs/logs.md. */
export function schemaErrors(line: string): string[] {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const missing = ['time', 'level', 'msg'].filter((name) => !(name in entry)).map((name) => `no ${name}`);
  const wrong = Object.entries(entry).flatMap(([name, value]) => {
    const field = FIELDS[name];
    if (field === undefined) return [`undocumented field ${name}`];
    return isOfType[field.type](value) ? [] : [`${name} is not of type ${field.type}`];
  });
  return [...missing, ...wrong];
}

/** The lines of a log in JSON that deviate from the schema, with their deviations. */
export const linesOutsideSchema = (log: string): string[] =>
  log
    .split('\n')
    // A killed process can leave an incomplete line at the end.
    .slice(0, -1)
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => schemaErrors(line).map((error) => `${error}: ${line}`));

type LooseWrite = (fields: string | Readonly<Record<string, unknown>>, message?: string) => void;

/** The logger without its check of field names, for tests of the logger itself. */
export const loose = (log: Logger) =>
  log as unknown as Readonly<Record<LogLevel, LooseWrite>> & {
    child(fields: Readonly<Record<string, unknown>>): Readonly<Record<LogLevel, LooseWrite>>;
    isLevelEnabled: Logger['isLevelEnabled'];
  };
