// values.schema.json: closed, so that a value that is misspelt is refused instead of passed over.
import { optionSchema } from './option-schema.mjs';

const DURATION = '^(\\d+h)?(\\d+m)?(\\d+s)?$';

const closed = (properties, description) => ({
  ...(description && { description }),
  type: 'object',
  additionalProperties: false,
  properties,
});

/** Sections and options. Secrets would be readable for everybody in a ConfigMap: Secrets bring them. */
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

function schemaOf({ rules, default: value }) {
  if (rules.enum) return { type: 'string', enum: rules.enum };
  if (rules.integer) {
    const [minimum, maximum] = rules.integer.map(Number);
    return { type: 'integer', minimum, maximum };
  }
  if (rules.type?.[0] === 'duration') return { type: 'string', minLength: 2, pattern: DURATION };
  if (rules.items) return { type: 'array', items: { type: rules.items[0] } };
  if (rules.map) return { type: 'object', additionalProperties: { type: 'string' } };
  if (rules.free) return { type: 'object' };
  if (typeof value === 'boolean') return { type: 'boolean' };
  if (typeof value === 'string')
    return { type: 'string', ...(rules.maxLength && { maxLength: Number(rules.maxLength[0]) }) };
  throw new Error('values.yaml: a value without a type');
}

function properties(values, optionRows) {
  const entries = values.map((value) => {
    const name = value.path.at(-1);
    if (value.children) return [name, closed(properties(value.children, optionRows))];
    if (value.rules.config) return [name, configSchema(optionRows, value.text)];
    return [name, { description: value.text, ...schemaOf(value) }];
  });
  return Object.fromEntries(entries);
}

export function valuesSchema(values, optionRows) {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: 'Generated from values.yaml and server/src/config/options.ts by `npm run gen`. Do not edit.',
    ...closed({
      ...properties(values, optionRows),
      global: { description: 'Helm gives it to every dependency.', type: 'object' },
    }),
  };
}
