import { CALL_FIELDS, LINE_FIELDS, type LogFieldType } from './log-fields.js';

type Field = readonly [name: string, field: { readonly type: LogFieldType; readonly meaning: string }];

/** Generates docs/logs.md from the table of fields. */
export function logsPage(): string {
  return `<!-- Generated from server/src/observability/log/log-fields.ts by \`npm run gen\`. Do not edit. -->

# Logs

For operators: the fields of the log in JSON, with their types and meanings.

The sidecar writes one JSON object per line to standard error, if \`log.format\` is \`json\`, or \`auto\` without a terminal. A field has the same type in every line.
New fields can appear in any release. The sidecar replaces secrets with \`[redacted]\`. [Operations](operations.md#log) explains the rate limit and the stalled reader.

## Fields of every line

\`trace_id\` and \`span_id\` exist only with [tracing](tracing.md).

${table(Object.entries(LINE_FIELDS))}

## Other fields

A line has only the fields that apply to its message.

${table(Object.entries(CALL_FIELDS))}
`;
}

function table(fields: readonly Field[]): string {
  const rows = fields.map(([name, { type, meaning }]) => `| \`${name}\` | ${type} | ${meaning} |`);
  return ['| Field | Type | Meaning |', '|---|---|---|', ...rows].join('\n');
}
