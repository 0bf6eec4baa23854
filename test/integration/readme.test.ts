import { describe, expect, it } from 'vitest';
import { pagePrograms, runPageProgram } from '../support/docs/page-programs.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

describe('README.md', () => {
  it('has a first multicast in TypeScript that runs and prints the documented output', async () => {
    const { target, daemon } = await startSidecar();
    const [program, ...others] = pagePrograms('README.md');
    expect(others).toEqual([]);
    expect(await runPageProgram(program as string, target)).toMatch(
      /^connected as #hello#\S+\nmembers of greetings: #hello#\S+\n#hello#\S+ says: hello, group$/,
    );
    expect(daemon?.counters().memberships).toBe(0);
  });
});

describe('docs/request-reply.md', () => {
  it('has a service and a request that run and print the reply', async () => {
    const { target, daemon } = await startSidecar();
    const [program, ...others] = pagePrograms('docs/request-reply.md');
    expect(others).toEqual([]);
    expect(await runPageProgram(program as string, target)).toMatch(/^#\S+ tea costs 5 EUR$/);
    await until(() => daemon?.counters().memberships === 0);
  });
});

describe('docs/building-blocks.md', () => {
  const programs = pagePrograms('docs/building-blocks.md');

  it('has an election that runs and prints who leads', async () => {
    const { target } = await startSidecar();
    expect(await runPageProgram(programs[0] as string, target, 1)).toMatch(/^leading, fence \d+ \d+ \d+$/);
  });

  it('has a replicated map that runs and prints an entry', async () => {
    const { target } = await startSidecar();
    expect(await runPageProgram(programs[1] as string, target)).toBe('green');
    expect(programs).toHaveLength(2);
  });
});
