import { textTable } from '../report/numbers.js';
import { checkTable } from '../report/tables.js';
import { DEFAULT_SESSION_MESSAGES } from '../servers/servers.js';
import { Stage } from '../stage.js';
import { CHECKS } from './all.js';
import { isWithin } from './check.js';
import { checkOptions, checksUsage } from './options.js';

/**
 * Runs one check. The exit code is 1 when a figure exceeds its bound, and 2 when the name of the check is unknown.
 */
export async function runCheck(args: readonly string[], print: (line: string) => void): Promise<number> {
  const [name, ...rest] = args;
  const check = CHECKS.find(({ id }) => id === name);
  if (check === undefined) {
    print(checksUsage(CHECKS));
    return name === '--help' || name === '-h' ? 0 : 2;
  }
  const { node, numbers } = checkOptions(check, rest);
  const stage = new Stage({ node, maxSessionMessages: DEFAULT_SESSION_MESSAGES });
  try {
    const figures = await check.run(numbers, stage);
    const kept = figures.every(isWithin);
    print(`${check.id}: ${check.text}\n${textTable(checkTable(figures))}`);
    print(kept ? 'all figures are within their bounds' : 'A FIGURE EXCEEDS ITS BOUND');
    return kept ? 0 : 1;
  } finally {
    await stage.close();
  }
}
