// Reads proto/errors.yaml, the source of all errors, and writes generated files and regions.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from '../build.mjs';

export const { metadata, reasons, spread, limits } = parse(
  readFileSync(join(root, 'proto', 'errors.yaml'), 'utf8'),
);

const ORIGIN = 'by `npm run gen` from proto/errors.yaml';

/** The first line of a completely generated file. */
export const header = (comment) => `${comment} Generated ${ORIGIN}. Do not edit.`;

/** ILLEGAL_GROUP → IllegalGroup. */
export const pascalCase = (name) =>
  name.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());

/** Wraps a text into comment lines. */
export function comment(prefix, text, width = 110) {
  const lines = [];
  for (const word of text.split(' ')) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : `${prefix} ${word}`;
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(`${prefix} ${word}`);
  }
  return lines;
}

/** The information about a reason that a caller needs: cause, metadata and retry. */
export function description({ sentence, detail, metadata: keys, retry, layer }) {
  const parts = [sentence];
  if (detail) parts.push(detail);
  if (keys.length > 0) parts.push(`Metadata: ${keys.map((key) => `\`${key}\``).join(', ')}.`);
  if (retry === 'advised' && layer !== 'client')
    parts.push('A google.rpc.RetryInfo gives the delay before a retry.');
  return parts.join(' ');
}

/** Separates the marks of a region from adjacent comments. */
export const apart = (lines) => ['', ...lines, ''];

export function write(path, lines) {
  writeFileSync(join(root, path), `${lines.join('\n')}\n`);
}

/**
 * Replaces the lines between the marks of a region of a file.
 *
 * @param name the region: a file may have several
 * @param mark what begins a comment, with its indentation
 */
export function writeRegion(path, name, mark, lines) {
  const file = join(root, path);
  const text = readFileSync(file, 'utf8');
  const begin = `${mark} ${name}: generated ${ORIGIN}\n`;
  const end = `${mark} end of ${name}\n`;
  const [before, rest, ...more] = text.split(begin);
  const [, after, ...others] = rest?.split(end) ?? [];
  if (after === undefined || more.length > 0 || others.length > 0)
    throw new Error(`${path} must have the region "${name}" once: "${begin.trim()}" to "${end.trim()}"`);
  writeFileSync(file, `${before}${begin}${lines.join('\n')}\n${end}${after}`);
}
