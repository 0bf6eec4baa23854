import { readFileSync } from 'node:fs';
import * as client from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';

const readme = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** The TypeScript blocks of a page that are complete programs: they import the client. */
function programs(path: string): string[] {
  const blocks = [...readme(path).matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1] as string);
  return blocks.filter((block) => block.includes("from 'spread-sidecar-client'"));
}

/** Runs a program of a page with only the sidecar's target replaced. Returns its output. */
async function run(program: string, target: string): Promise<string> {
  const lines: string[] = [];
  const console = { log: (...values: unknown[]) => void lines.push(values.join(' ')) };
  const body = program
    .replace(/^import \{([^}]*)\} from 'spread-sidecar-client';$/gm, 'const {$1} = client;')
    .replaceAll('127.0.0.1:4813', target);
  const AsyncFunction = (async () => {}).constructor as new (
    ...args: string[]
  ) => (...args: unknown[]) => Promise<void>;
  await new AsyncFunction('client', 'console', body)(client, console);
  return lines.join('\n');
}

describe('README.md', () => {
  it('has a first multicast in TypeScript that runs and prints the documented output', async () => {
    const { target, daemon } = await startSidecar();
    const [program, ...others] = programs('README.md');
    expect(others).toEqual([]);
    expect(await run(program as string, target)).toMatch(
      /^connected as #hello#\S+\nmembers of greetings: #hello#\S+\n#hello#\S+ says: hello, group$/,
    );
    expect(daemon?.counters().memberships).toBe(0);
  });
});
