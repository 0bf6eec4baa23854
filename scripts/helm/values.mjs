// The values of the chart, as values.yaml documents them. A comment that starts with `# --` describes a
// value. Lines that start with `@` describe what the default cannot.
import { readFileSync } from 'node:fs';
import { isMap, parseDocument } from 'yaml';

/**
 * A value, or a group of them. `path` are its keys; `text` is undefined for a group; `rules` are the `@` lines by name.
 * @typedef {{ path: string[], text?: string, default?: unknown, rules: Record<string, string[]>, children?: Value[] }} Value
 */

function readComment(comment, name) {
  const lines = (comment ?? '').split('\n').map((line) => line.trim());
  const start = lines.findIndex((line) => line.startsWith('-- '));
  if (start < 0) return { rules: {} };
  const own = lines.slice(start).filter(Boolean);
  const rules = {};
  for (const line of own.filter((line) => line.startsWith('@'))) {
    const [rule, ...words] = line.slice(1).split(/\s+/);
    if (!KNOWN.has(rule)) throw new Error(`values.yaml: ${name} has an unknown rule @${rule}`);
    rules[rule] = words;
  }
  const text = own.filter((line) => !line.startsWith('@')).join(' ');
  return { text: text.slice('-- '.length), rules };
}

const KNOWN = new Set(['config', 'enum', 'integer', 'items', 'kubernetes', 'map', 'maxLength', 'type']);

function readMap(map, path) {
  return map.items.map(({ key, value }, index) => {
    const name = [...path, key.value];
    // What stands before the first key is the comment of the map.
    const comment = key.commentBefore ?? (index === 0 && path.length > 0 ? map.commentBefore : undefined);
    const { text, rules } = readComment(comment, name.join('.'));
    if (text === undefined) {
      if (!isMap(value) || value.items.length === 0)
        throw new Error(`values.yaml: ${name.join('.')} is not documented`);
      return { path: name, rules: {}, children: readMap(value, name) };
    }
    return { path: name, text, rules, default: value.toJSON() };
  });
}

/** All values of the file, as a tree. */
export function readValues(file) {
  const document = parseDocument(readFileSync(file, 'utf8'));
  if (document.errors.length > 0) throw document.errors[0];
  return readMap(document.contents, []);
}

/** The values without groups, in the order of the file. */
export const flat = (values) => values.flatMap((value) => (value.children ? flat(value.children) : [value]));
