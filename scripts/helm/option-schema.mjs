// The JSON Schema of an option of the sidecar, from the sentence about its values: `a whole number from 1 to
// 100, or off`. The sidecar itself checks ranges of durations and sizes, because a schema has no units.

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
  // YAML parsers disagree whether such a number is octal or decimal.
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
    // Texts may contain any word. Other values may be one of a few words instead.
    const words = found[0] === expects ? undefined : /, or (\w+(?: or \w+)*)$/.exec(expects)?.[1];
    const only = schema(found);
    return words ? { anyOf: [only, { type: 'string', enum: words.split(' or ') }] } : only;
  }
  return { type: 'string' };
}

/** The schema of one row of the table of options. */
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
