// No credential may reach the log, neither in a field nor inside a message.

const REDACTED = '[redacted]';

/** Field names, in lower case without dashes, whose values are never shown. */
const SECRET_NAMES = new Set([
  'authorization',
  'token',
  'admintoken',
  'mailboxid',
  'password',
  'secret',
  'cookie',
  'privatekey',
]);

/** Depth to which fields are checked. Deeper values are omitted. */
const MAX_DEPTH = 5;

/** The fields with every secret replaced, by name, at any depth. The fields themselves are not changed. */
export function withoutSecrets(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactFields(fields, MAX_DEPTH);
}

/**
 * A mailbox ID is 32 hexadecimal digits and gives access to the mailbox. An error message can contain one, or a
 * bearer token. The field `trace_id` of a JSON line has the same form, but is not a secret. Within other fields, the
 * quotation marks would have backslashes.
 */
export function withoutSecretTexts(line: string): string {
  return line
    .replace(/(?<!"trace_id":")\b[0-9a-f]{32}\b/g, REDACTED)
    .replace(/\b(bearer) [^\s"\\]+/gi, `$1 ${REDACTED}`);
}

function redactFields(fields: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const isSecret = SECRET_NAMES.has(name.replace(/[-_]/g, '').toLowerCase());
      return [name, isSecret ? REDACTED : redactValue(value, depth)];
    }),
  );
}

function redactValue(value: unknown, depth: number): unknown {
  if (value instanceof Error || typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '[…]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth - 1));
  // An object of a class can contain secrets under any name.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor?.name ?? 'object'}]`;
  return redactFields(value as Record<string, unknown>, depth - 1);
}
