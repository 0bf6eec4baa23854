import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ATTACKS } from './attacks/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `npm run attack`'s script. The attacker and the well-behaved client run there, as in the full form. */
async function attack(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/program.mjs', 'attack', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

describe('the short form of an attack', () => {
  // What the script prepares is prepared once.
  beforeAll(async () => {
    expect(await attack('--help')).toMatchObject({ code: 0 });
  }, 600_000);

  it.each(ATTACKS.map(({ name }) => name))(
    '%s costs the well-behaved client nothing and keeps the memory bound',
    async (name) => {
      const { code, output } = await attack('--short', name);
      process.stdout.write(output);
      expect(output).toContain('all bounds held');
      expect(code).toBe(0);
    },
    120_000,
  );
});

it('an unknown attack is an error', async () => {
  const { code, output } = await attack('no-such-attack');
  expect(output).toContain('there is no attack named no-such-attack');
  expect(code).toBe(2);
}, 120_000);
