import { readFileSync } from 'node:fs';
import * as client from 'spread-sidecar-client';
import { onTestFinished } from 'vitest';
import { until } from '../until.js';

/** The TypeScript blocks of a page that are complete programs: they import the client. */
export function pagePrograms(path: string): string[] {
  const page = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1] as string);
  return blocks.filter((block) => block.includes("from 'spread-sidecar-client'"));
}

/**
 * Runs a program of a page with only the sidecar's target replaced. Channels that the program leaves open close at
 * the end of the running test.
 *
 * @param lines - number of lines to wait for, also after the end of the program
 * @returns its output
 */
export async function runPageProgram(program: string, target: string, lines = 0): Promise<string> {
  const output: string[] = [];
  const console = { log: (...values: unknown[]) => void output.push(values.join(' ')) };
  class SpreadSidecar extends client.SpreadSidecar {
    constructor(options: client.SidecarOptions = {}) {
      super({ target, ...options });
      onTestFinished(() => this.close());
    }
  }
  const body = program
    .replace(/^import \{([^}]*)\} from 'spread-sidecar-client';$/gm, 'const {$1} = clientModule;')
    .replaceAll('127.0.0.1:4813', target);
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction('clientModule', 'console', body)({ ...client, SpreadSidecar }, console);
  await until(() => output.length >= lines);
  return output.join('\n');
}
