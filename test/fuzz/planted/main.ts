import { main as fuzzMain } from '../main.js';
import { DEADLY } from './targets.js';

/** As `npm run fuzz`, with the planted targets that a test can not have in its own process. */
export const main = (args: readonly string[], print: (line: string) => void): Promise<number> =>
  fuzzMain(args, print, DEADLY, { hangMs: 1000 });
