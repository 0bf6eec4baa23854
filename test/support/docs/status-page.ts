import { readFileSync } from 'node:fs';
import { WrittenFields } from '../../../server/src/admin/json-pages.js';

/** A field as docs/status.md describes it. */
interface DocumentedField {
  readonly types: readonly string[];
  readonly isOptional: boolean;
}

const page = readFileSync(new URL('../../../docs/status.md', import.meta.url), 'utf8');

/** The fields of one section, by path: `mailboxes[].queue.events`. */
function documentedFields(section: string): ReadonlyMap<string, DocumentedField> {
  const text = page.split(`\n## ${section}\n`)[1]!.split('\n## ')[0]!;
  const rows = text.matchAll(/^\| `([^`]+)` \| ((?:string|number|boolean)[^|]*) \|/gm);
  return new Map(
    [...rows].map(([, path, type]) => [
      path!,
      { types: type!.replace(', optional', '').split(' or '), isOptional: type!.includes('optional') },
    ]),
  );
}

/**
 * The differences between a page and the section of docs/status.md: fields without documentation, fields with another
 * type, and missing fields. A field of an item counts as missing if an item lacks it.
 */
export function schemaMistakes(section: string, body: object): string[] {
  const fields = documentedFields(section);
  const mistakes: string[] = [];
  const check = (value: unknown, path: string): void => {
    const field = fields.get(path);
    const type = value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value;
    if (field !== undefined) {
      if (!field.types.includes(type)) mistakes.push(`${path} is ${type}, not ${field.types.join(' or ')}`);
    } else if (Array.isArray(value)) {
      for (const item of value) check(item, `${path}[]`);
    } else if (type === 'object') {
      const prefix = path === '' ? '' : `${path}.`;
      const object = value as Readonly<Record<string, unknown>>;
      for (const [name, item] of Object.entries(object)) check(item, `${prefix}${name}`);
      for (const [known, { isOptional }] of fields) {
        const [name, isDirect] = nameWithin(known, prefix);
        if (name !== undefined && !(name in object) && !(isDirect && isOptional))
          mistakes.push(`${prefix}${name} is missing`);
      }
    } else if (!(value === null && [...fields.keys()].some((known) => known.startsWith(`${path}.`)))) {
      mistakes.push(`${path} is not documented`);
    }
  };
  check(body, '');
  return mistakes;
}

/** The first name of a path below a prefix, and whether the path ends with it. */
function nameWithin(path: string, prefix: string): [name: string | undefined, isDirect: boolean] {
  if (!path.startsWith(prefix)) return [undefined, false];
  const rest = path.slice(prefix.length);
  const name = rest.split(/[.[]/)[0];
  return [name === '' ? undefined : name, name === rest];
}

/** The fields of a page that is written row by row. */
export function fieldsOf<Fields extends object>(page: object): Fields {
  if (!(page instanceof WrittenFields)) throw new Error('the page is not written row by row');
  return JSON.parse(page.json) as Fields;
}
