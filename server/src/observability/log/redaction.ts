// Nothing that opens something may reach the log: not by a field's name, and not inside of a sentence.

const REDACTED = '[redacted]';

/** Field names, without dashes and capitals, whose values are never shown. */
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

/** Fields are looked into this deep; what lies deeper is left out. */
const MAX_DEPTH = 5;

/** The fields with every secret replaced, by name, at any depth. The fields themselves are not changed. */
export function withoutSecrets(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactFields(fields, MAX_DEPTH);
}

/** A mailbox id is 32 hexadecimal digits and opens the mailbox; an error's sentence may hold one, or a bearer token. */
export function withoutSecretTexts(line: string): string {
  return line.replace(/\b[0-9a-f]{32}\b/g, REDACTED).replace(/\b(bearer) [^\s"\\]+/gi, `$1 ${REDACTED}`);
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
  // A class may hold anything, also what its names don't tell.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `[${value.constructor?.name ?? 'object'}]`;
  return redactFields(value as Record<string, unknown>, depth - 1);
}
