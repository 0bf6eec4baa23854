// `npm test`: sets itself up, runs the short suites that need only Node, and names the others. `npm run test:all`, or `npm test` with
// CI=true or with paths of tests, runs every suite whose tools are installed. With CI=true, or REQUIRE=part,part, a part that is asked
// for and missing is a failure. Other arguments go to vitest. The last line is always `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, root } from './build.mjs';

await ensureBuilt();
const { missingParts, requiredParts } = await import('../test/support/requirements.mjs');

const args = process.argv.slice(2).filter((arg) => arg !== '--all');
const runsAll =
  process.env.CI === 'true' || process.argv.includes('--all') || args.some((arg) => !arg.startsWith('-'));
const env = { ...process.env, TEST_SUITES: runsAll ? 'all' : 'node' };
const missing = missingParts(env);
const required = requiredParts(env);
const folder = mkdtempSync(join(tmpdir(), 'sps-report-'));
const report = join(folder, 'report.json');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const outcome = spawnSync(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
  { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] },
);

let counts = { passed: 0, failed: 1, skipped: 0 };
try {
  const result = JSON.parse(readFileSync(report, 'utf8'));
  counts = {
    passed: result.numPassedTests,
    // A file that does not load has no tests, but it failed.
    failed:
      result.numFailedTests +
      result.testResults.filter(
        (f) => f.status === 'failed' && f.assertionResults.every((a) => a.status !== 'failed'),
      ).length,
    skipped: result.numPendingTests + result.numTodoTests,
  };
} catch (error) {
  console.error(`vitest wrote no report: ${error.message}`);
}
rmSync(folder, { recursive: true, force: true });

let failed = outcome.status !== 0;
if (!runsAll)
  console.log(
    '`npm run test:all` runs every suite whose tools are installed. test/README.md lists the suites and their tools.',
  );
for (const part of missing) {
  const wanted = required.includes(part.name);
  if (runsAll || wanted) console.log(`${wanted ? 'MISSING' : 'skipped'}: ${part.what}. ${part.enable}`);
  if (wanted) {
    failed = true;
    counts.failed += 1;
  }
}
if (failed && counts.failed === 0) counts.failed = 1; // an error outside any test, such as an unhandled rejection
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = failed || counts.failed > 0 ? 1 : 0;
