// values.schema.json: closed, so that a misspelt value is rejected instead of ignored.
import { readFileSync } from 'node:fs';
import { optionSchema } from './option-schema.mjs';

const file = new URL('kubernetes-definitions.json', import.meta.url);
const kubernetes = JSON.parse(readFileSync(file, 'utf8')).definitions;

const DURATION = '^(\\d+h)?(\\d+m)?(\\d+s)?$';

/** A type of the Prometheus operator, which kubernetes-validate does not have. */
kubernetes.RelabelConfig = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...Object.fromEntries(
      ['separator', 'targetLabel', 'regex', 'replacement', 'action'].map((name) => [
        name,
        { type: 'string' },
      ]),
    ),
    sourceLabels: { type: 'array', items: { type: 'string' } },
    modulus: { type: 'integer' },
  },
};

/** The rules `@type`: values that JSON's types do not describe. */
const COUNT = [
  { type: 'integer', minimum: 0 },
  { type: 'string', pattern: '^(100|[1-9]?[0-9])%$' },
];
const types = {
  duration: { type: 'string', minLength: 2, pattern: DURATION },
  optionalDuration: { type: 'string', pattern: DURATION },
  count: { anyOf: COUNT },
  optionalCount: { anyOf: [...COUNT, { type: 'null' }] },
};

const closed = (properties, description) => ({
  ...(description && { description }),
  type: 'object',
  additionalProperties: false,
  properties,
});

/** Sections and options, without secrets, which a ConfigMap would expose. They come from Secrets. */
function configSchema(optionRows, description) {
  const sections = {};
  for (const row of optionRows.filter(({ secret }) => !secret)) {
    sections[row.section] ??= {};
    sections[row.section][row.name] = optionSchema(row);
  }
  return closed(
    Object.fromEntries(Object.entries(sections).map(([name, options]) => [name, closed(options)])),
    description,
  );
}

/** A JSON type, in lower case, or a Kubernetes type. */
function typeSchema(name) {
  if (/^[a-z]/.test(name)) return { type: name };
  if (!(name in kubernetes)) throw new Error(`values.yaml: kubernetes-definitions.py does not list ${name}`);
  return { $ref: reference(name) };
}

const reference = (name) => `#/definitions/${name}`;

/** The Kubernetes types to which a schema refers, directly and indirectly. */
function definitionsOf(schema, found = new Map()) {
  for (const [name, type] of Object.entries(kubernetes)) {
    if (found.has(name) || !JSON.stringify(schema).includes(`"${reference(name)}"`)) continue;
    found.set(name, type);
    definitionsOf(type, found);
  }
  return found;
}

function schemaOf({ rules, default: value }) {
  if (rules.enum) return { type: 'string', enum: rules.enum };
  if (rules.integer) {
    const [minimum, maximum] = rules.integer.slice(0, 2).map(Number);
    return { type: rules.integer[2] ? ['integer', 'null'] : 'integer', minimum, maximum };
  }
  if (rules.type) return types[rules.type[0]];
  if (rules.items)
    return {
      type: 'array',
      items: rules.items.length > 1 ? { type: rules.items } : typeSchema(rules.items[0]),
    };
  if (rules.map) return { type: 'object', additionalProperties: { type: 'string' } };
  // Draft 7 ignores siblings of $ref.
  if (rules.kubernetes) return { allOf: [typeSchema(rules.kubernetes[0])] };
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (typeof value === 'string')
    return { type: 'string', ...(rules.maxLength && { maxLength: Number(rules.maxLength[0]) }) };
  throw new Error('values.yaml: a value without a type');
}

function properties(values, optionRows) {
  const entries = values.map((value) => {
    const name = value.path.at(-1);
    if (value.children) {
      const group = closed(properties(value.children, optionRows));
      // Other charts have their own values there.
      return [name, name === 'global' ? { ...group, additionalProperties: true } : group];
    }
    if (value.rules.config) return [name, configSchema(optionRows, value.text)];
    return [name, { description: value.text, ...schemaOf(value) }];
  });
  return Object.fromEntries(entries);
}

/** The text of values.schema.json. Each type of Kubernetes is one line. */
export function valuesSchema(values, optionRows) {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Generated from values.yaml and server/src/config/options.ts by `npm run gen`. Do not edit.',
    ...closed(properties(values, optionRows)),
  };
  const types = [...definitionsOf(schema)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = types.map(([name, type]) => `    ${JSON.stringify(name)}: ${JSON.stringify(type)}`);
  const own = JSON.stringify(schema, null, 2).replace(/\n\}$/, '');
  return `${own},\n  "definitions": {\n${lines.join(',\n')}\n  }\n}\n`;
}
