// The table of values in the chart's README.
import { flat } from './values.mjs';

const BEGIN = '<!-- values: generated from values.yaml by `npm run gen` -->';
const END = '<!-- /values -->';

const code = (text) => `\`${text.replaceAll('|', '\\|')}\``;

function bounds({ rules }) {
  if (rules.enum) return ` One of ${rules.enum.map(code).join(', ')}.`;
  if (rules.integer)
    return ` From ${rules.integer[0]} to ${rules.integer[1]}${rules.integer[2] ? ', or null' : ''}.`;
  return '';
}

const row = (value) =>
  `| ${code(value.path.join('.'))} | ${code(JSON.stringify(value.default))} | ${value.text.replaceAll('|', '\\|')}${bounds(value)} |`;

/** The page with its table replaced. */
export function withTable(page, values) {
  const [before, rest] = page.split(BEGIN);
  const [, after] = (rest ?? '').split(END);
  if (after === undefined)
    throw new Error('README.md of the chart does not contain the two comments around the table of values');
  const rows = flat(values).map(row).join('\n');
  return `${before}${BEGIN}\n| Value | Default | Meaning |\n|---|---|---|\n${rows}\n${END}${after}`;
}
