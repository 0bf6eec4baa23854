import { main as fuzzMain } from '../main.js';
import { DEADLY } from './targets.js';

/** Like `npm run fuzz`, with the planted targets that would harm the process of a test. */
export const main = (args: readonly string[], print: (line: string) => void): Promise<number> =>
  fuzzMain(args, print, DEADLY, { hangMs: 1000 });
