// JSON Schema of an option of the sidecar, made from the sentence that says what it must be: `a whole number from 1 to 100,
// or off`. Bounds of durations and sizes are the sidecar's to check; a schema has no units.

const DURATION = '^(\\d+(\\.\\d+)?h)?(\\d+(\\.\\d+)?m)?(\\d+(\\.\\d+)?s)?(\\d+ms)?$';

const forms = [
  [/^true or false$/, () => ({ type: 'boolean' })],
  [/^a whole number from (\d+) to (\d+)/, bounds('integer')],
  [/^a number from ([\d.]+) to ([\d.]+)/, bounds('number')],
  [/^a duration from/, () => ({ type: 'string', minLength: 1, pattern: DURATION })],
  [
    /^a size from/,
    () => ({
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', pattern: '^\\d+(\\.\\d+)? ?(B|[KMG]iB?|[kKMG]B)?$' },
      ],
    }),
  ],
  // A number would be read as octal by one YAML and as decimal by another.
  [/^an octal file mode/, () => ({ type: 'string', pattern: '^(0o|0)?[0-7]{3}$' })],
  [/^(?:\w+, )*\w+ or \w+$/, ([words]) => ({ type: 'string', enum: words.split(/, | or /) })],
];

function bounds(type) {
  return ([, minimum, maximum]) => ({ type, minimum: Number(minimum), maximum: Number(maximum) });
}

function scalar(expects) {
  for (const [form, schema] of forms) {
    const found = form.exec(expects);
    if (!found) continue;
    // Texts may hold any word; what has a form of its own may be one of a few words besides.
    const words = found[0] === expects ? undefined : /, or (\w+(?: or \w+)*)$/.exec(expects)?.[1];
    const only = schema(found);
    return words ? { anyOf: [only, { type: 'string', enum: words.split(' or ') }] } : only;
  }
  return { type: 'string' };
}

/** Of one row of the table of options. */
export function optionSchema({ type, isList, text, default: value }) {
  const description = `${text} Must be ${type.expects}. Default: ${value || 'empty'}.`;
  if (!isList) return { description, ...scalar(type.expects) };
  const [, minItems, maxItems] = /a list of (\d+) to (\d+)/.exec(type.expects);
  return {
    description,
    type: 'array',
    minItems: Number(minItems),
    maxItems: Number(maxItems),
    uniqueItems: true,
    items: { type: 'string', minLength: 1 },
  };
}
