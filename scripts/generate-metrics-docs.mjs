// Writes docs/metrics.md from the table of metrics. Run by `npm run gen`, after the build.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { metricsPage } from '../dist/server/observability/metrics/metrics-page.js';
import { root } from './build.mjs';

writeFileSync(join(root, 'docs', 'metrics.md'), metricsPage());
