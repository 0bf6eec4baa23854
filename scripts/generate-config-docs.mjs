// Writes docs/configuration.md from the table of options. Run by `npm run gen`, after the build.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from '../dist/server/config/docs-page.js';
import { root } from './build.mjs';

writeFileSync(join(root, 'docs', 'configuration.md'), configurationPage());
