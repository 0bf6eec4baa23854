// Writes docs/logs.md from the table of log fields. Run by `npm run gen`, after the build.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { logsPage } from '../dist/server/observability/log/logs-page.js';
import { root } from './build.mjs';

writeFileSync(join(root, 'docs', 'logs.md'), logsPage());
