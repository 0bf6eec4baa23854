import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { neededFor } from './bars.js';
import { runCheck } from './checks/run.js';
import { parseOptions, USAGE } from './options.js';
import { profileReport } from './profile.js';
import { chart } from './report/chart.js';
import { publish } from './report/publish.js';
import { textReport } from './report/text.js';
import type { Results } from './results.js';
import { runBench } from './run.js';
import { SCENARIOS } from './scenarios/all.js';
import { SUBJECTS } from './subjects.js';

const DOCS = fileURLToPath(new URL('../../docs', import.meta.url));

/**
 * The exit code is 1 when a requested measurement failed. Missed bars are shown and do not change the exit code.
 */
export async function main(args: readonly string[], print: (line: string) => void): Promise<number> {
  if (args[0] === 'check') return runCheck(args.slice(1), print);
  const options = parseOptions(args);
  if (options.help) {
    print(USAGE);
    return 0;
  }
  if (options.list) {
    for (const { id, text, subjects } of SCENARIOS) print(`${id}: ${text}\n    ${subjects.join(' ')}`);
    for (const { id, text } of SUBJECTS) print(`${id.padEnd(26)}${text}`);
    return 0;
  }
  const filters = options.only.length > 0 ? options.only : options.bars && !options.quick ? neededFor() : [];
  const results: Results = options.from
    ? JSON.parse(readFileSync(options.from, 'utf8'))
    : await runBench(SCENARIOS, options, filters, print);
  // A quick run does not compare figures with the bars.
  const bars = !results.quick && (options.bars || options.only.length === 0);
  const report = textReport(results, { bars });
  mkdirSync(options.out, { recursive: true });
  writeFileSync(join(options.out, 'results.json'), `${JSON.stringify(results)}\n`);
  writeFileSync(join(options.out, 'report.txt'), report);
  writeFileSync(join(options.out, 'chart.svg'), chart(results));
  if (options.publish) publish(results, DOCS);
  print(`\n${report}\nresults.json, report.txt and chart.svg are in ${options.out}`);
  if (options.profile) print(`\n${profileReport(options.profile)}`);
  return results.failures.length > 0 ? 1 : 0;
}
