import type picocolors from 'picocolors';

type Colors = ReturnType<typeof picocolors.createColors>;

/**
 * Converts a line of JSON to one for people: `12:00:01.123 INFO message field=value`, with the stack of an error
 * below.
 */
export function prettyLine(json: string, colors: Colors): string {
  const { time, level, msg, err, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const parts = [
    colors.dim(String(time).slice(11, 23)),
    paint(String(level), colors),
    ...(msg === undefined ? [] : [visible(String(msg))]),
    ...Object.entries(fields).map(([name, value]) => `${colors.dim(`${name}=`)}${fieldText(value)}`),
  ];
  const stack = err === undefined ? '' : `\n  ${errorText(err).replaceAll('\n', '\n  ')}`;
  return `${parts.join(' ')}${stack}\n`;
}

function paint(level: string, colors: Colors): string {
  const text = level.toUpperCase().padEnd(5);
  if (level === 'error' || level === 'fatal') return colors.red(text);
  if (level === 'warn') return colors.yellow(text);
  return level === 'info' ? colors.green(text) : colors.dim(text);
}

function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[!-~]+$/.test(value) && !value.includes('"')) return value;
  return visible(JSON.stringify(value));
}

// A terminal executes control characters, so a name from another client must not contain any.
function visible(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function errorText(err: unknown): string {
  const { stack, message } = err as { stack?: string; message?: string };
  return (stack ?? message ?? JSON.stringify(err)).split('\n').map(visible).join('\n');
}
