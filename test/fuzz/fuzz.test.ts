import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../chaos/random.js';
import { formatInput, parseInput } from './engine/input.js';
import { mutate } from './engine/mutator.js';
import { HangWatch } from './engine/process-watch.js';
import { fuzz, inputAt, type RunOptions, replay } from './engine/runner.js';
import type { Target } from './engine/target.js';
import { fromFile } from './main.js';
import * as planted from './planted/targets.js';
import { TARGETS } from './targets/index.js';

const SEED = 1;
const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url));

let watch: HangWatch;
beforeAll(() => {
  watch = new HangWatch(60_000);
});
afterAll(() => watch.stop());

const run = (target: Target, inputs: number, more: Partial<RunOptions> = {}) =>
  fuzz(target, { seed: SEED, inputs, deadline: Number.POSITIVE_INFINITY, watch, ...more });

/**
 * Node 20 itself has aborted (`~Http2Session(): current_nghttp2_memory_ == 0`) after runs of this target, when the
 * sidecar had stopped. An abort would end the other tests too. `npm run fuzz -- --target tls` runs this target.
 */
const APART = new Set(['tls']);

describe('a short run', () => {
  it.each(TARGETS.filter(({ name }) => !APART.has(name)))(
    'of $name finds nothing',
    async (target) => {
      const report = await run(target, target.kind === 'network' ? 60 : 1000, { samples: 0 });
      expect(report.findings).toEqual([]);
      // Inputs that all have the same outcome do not reach much code.
      expect(report.outcomes.size).toBeGreaterThan(1);
    },
    60_000,
  );
});

describe('inputs that once failed', () => {
  it.each(readdirSync(CORPUS))(
    '%s does no harm any more',
    async (file) => {
      const { target, inputs } = fromFile(`${CORPUS}${file}`, TARGETS);
      expect(inputs.length).toBeGreaterThan(0);
      expect(await replay(target, inputs, watch)).toEqual([]);
    },
    60_000,
  );
});

describe('the oracles find', () => {
  const only = async (target: Target, inputs: number, more: Partial<RunOptions> = {}) => {
    const { findings } = await run(target, inputs, more);
    expect(findings).toHaveLength(1);
    return findings[0]!;
  };

  it('a decoder that throws unexpected errors', async () => {
    const { kind, message, inputs } = await only(planted.typeError, 500);
    expect(kind).toBe('threw');
    expect(message).toContain('TypeError');
    // Minimised to the header and the bytes that it announces.
    expect(inputs[0]?.length).toBe(1);
    expect(inputs[0]![0]!.length).toBeLessThan(200);
  });

  it('a decoder that loses the bytes across a split', async () => {
    expect(await only(planted.swallow, 500)).toMatchObject({
      kind: 'threw',
      message: expect.stringContaining('means something else'),
    });
  });

  it('an expression that takes exponential time', async () => {
    expect(await only(planted.slow, 100, { busyMs: 50 })).toMatchObject({ kind: 'slow' });
  });

  it('a missing response', async () => {
    expect(await only(planted.noEnd, 100, { inputMs: 50 })).toMatchObject({ kind: 'no end' });
  });

  it('memory that is not released', async () => {
    expect(await only(planted.leak, 8000)).toMatchObject({ kind: 'growth' });
  });

  it('harm that affects only others, and the input that causes it', async () => {
    const { kind, inputs } = await only(planted.harm(), 2000);
    expect(kind).toBe('harm');
    expect(inputs).toEqual([[Buffer.from([0xff])]]);
  });

  it.each([
    [
      'a rejection that nobody handles',
      'planted-rejection',
      'FOUND planted-rejection: uncaught: unhandled rejection',
    ],
    [
      'an exception that nobody catches',
      'planted-exception',
      'FOUND planted-exception: uncaught: uncaught exception',
    ],
    ['a loop without an end', 'planted-hang', 'HANG: nothing happened for 1000 ms in input planted-hang/1/'],
  ])('%s', async (_, target, line) => {
    const { output, code } = await inItsOwnProcess(
      '--target',
      target,
      '--seed',
      String(SEED),
      '--inputs',
      '500',
    );
    expect(output).toContain(line);
    expect(code).not.toBe(0);
  });
});

describe('an input', () => {
  it('is always the same for its seed and number', async () => {
    const [target] = TARGETS;
    expect(await inputAt(target!, 5, 77)).toEqual(await inputAt(target!, 5, 77));
    expect(await inputAt(target!, 5, 77)).not.toEqual(await inputAt(target!, 5, 78));
  });

  it('is the same after it was written to a file', () => {
    const random = new Random('files');
    const material = {
      seeds: [[Buffer.from('a "text"\n'), Buffer.from([0, 255])]],
      words: [],
      maxPieces: 9,
      maxPieceBytes: 99,
    };
    for (let i = 0; i < 500; i++) {
      const input = mutate(random, material);
      expect(parseInput(formatInput(input, ['a comment']))).toEqual(input);
    }
  });
});

async function inItsOwnProcess(...args: string[]): Promise<{ output: string; code: number | null }> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const program = ['--import', 'tsx', 'test/support/program.ts', 'test/fuzz/planted/main.ts'];
  const child = spawn(process.execPath, [...program, ...args], {
    cwd: root,
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  child.stdout.on('data', (text) => {
    output += text;
  });
  child.stderr.on('data', (text) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { output, code };
}
