// Writes values.schema.json and the README's table of the chart. Run by `npm run gen`, after the build.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { optionRows } from '../../dist/server/config/option-rows.js';
import { root } from '../build.mjs';
import { readValues } from './values.mjs';
import { valuesSchema } from './values-schema.mjs';
import { withTable } from './values-table.mjs';

const chart = join(root, 'deploy', 'helm', 'spread-sidecar');
const values = readValues(join(chart, 'values.yaml'));
writeFileSync(join(chart, 'values.schema.json'), valuesSchema(values, optionRows));
const readme = join(chart, 'README.md');
writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), values));
