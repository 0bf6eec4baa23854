import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { commentOf, formatInput, type Input, parseInput, sizeOf } from './engine/input.js';
import { HangWatch } from './engine/process-watch.js';
import { type Finding, fuzz, inputAt, type Report, replay } from './engine/runner.js';
import type { Target } from './engine/target.js';
import { TARGETS } from './targets/index.js';

/** Longest time without any progress. Unit: ms. */
const HANG_MS = 30_000;

function usage(targets: readonly Target[]): string {
  return `npm run fuzz -- [options]

  --inputs N      inputs for each target (default 20000 for pure ones, 1000 for those of the network)
  --minutes N     go on for so long, shared evenly among the targets, instead of counting inputs
  --seed N        (default: drawn, and printed)
  --target X      only this one, or a list with commas; pure and network are lists too
  --out DIR       where the inputs go that find something (default: a temporary folder)
  --replay WHAT   a file with an input, or a place such as client-frames/7/1234: target, seed, number

Targets:
${targets.map(({ name, text }) => `  ${name.padEnd(16)}${text}`).join('\n')}

The exit code is 1 when anything was found.`;
}

/** Runs targets, prints the findings and returns the exit code. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
  targets: readonly Target[] = TARGETS,
  { hangMs = HANG_MS } = {},
): Promise<number> {
  const option = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: option,
      minutes: option,
      seed: option,
      target: option,
      out: option,
      replay: option,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    print(usage(targets));
    return 0;
  }
  const watch = new HangWatch(hangMs);
  try {
    if (values.replay !== undefined) return await again(values.replay, targets, watch, print);
    const chosen = choose(targets, values.target);
    const seed = number('seed', values.seed, Math.floor(Math.random() * 1e9));
    const minutes = values.minutes === undefined ? undefined : number('minutes', values.minutes, 0);
    const out = values.out ?? mkdtempSync(join(tmpdir(), 'fuzz-'));
    mkdirSync(out, { recursive: true });
    print(`seed ${seed}`);
    const reports: Report[] = [];
    for (const target of chosen) {
      const report = await fuzz(target, {
        seed,
        watch,
        inputs:
          minutes === undefined
            ? number('inputs', values.inputs, target.kind === 'pure' ? 20_000 : 1000)
            : number('inputs', values.inputs, Number.POSITIVE_INFINITY),
        deadline:
          minutes === undefined
            ? Number.POSITIVE_INFINITY
            : performance.now() + (minutes * 60_000) / chosen.length,
        // If the process dies, this line has the location of the last chunk.
        onChunk: (place) => writeFileSync(join(out, 'running'), `${place}\n`),
      });
      reports.push(report);
      print(summary(report));
      for (const [index, finding] of report.findings.entries())
        print(explain(finding, save(finding, index, out)));
    }
    return total(reports, print);
  } finally {
    await watch.stop();
  }
}

function choose(targets: readonly Target[], wanted: string | undefined): readonly Target[] {
  if (wanted === undefined) return targets;
  return wanted.split(',').flatMap((name) => {
    const found = targets.filter((target) => target.name === name || target.kind === name);
    if (found.length === 0)
      throw new Error(`no target ${name}; there are ${targets.map((target) => target.name).join(', ')}`);
    return found;
  });
}

function number(name: string, given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : Number(given);
  if (!(value >= 0)) throw new Error(`--${name} must be a number of 0 or more; got ${given}`);
  return value;
}

async function again(
  what: string,
  targets: readonly Target[],
  watch: HangWatch,
  print: (line: string) => void,
): Promise<number> {
  const { target, inputs } = existsSync(what) ? fromFile(what, targets) : await fromPlace(what, targets);
  print(`${target.name}: ${inputs.length} inputs of ${inputs.map(sizeOf).join(', ')} bytes`);
  const failures = await replay(target, inputs, watch);
  for (const failure of failures) print(failure);
  print(failures.length === 0 ? 'nothing found' : `${failures.length} findings`);
  return failures.length === 0 ? 0 : 1;
}

/** Reads a file that save() wrote. */
export function fromFile(path: string, targets: readonly Target[]): { target: Target; inputs: Input[] } {
  const text = readFileSync(path, 'utf8');
  const [target] = choose(targets, commentOf(text, 'target') ?? '');
  return {
    target: target!,
    inputs: text
      .split(/^# input$/m)
      .slice(1)
      .map(parseInput),
  };
}

async function fromPlace(place: string, targets: readonly Target[]) {
  const [name = '', seed, index] = place.split('/');
  const [target] = choose(targets, name);
  const input = await inputAt(target!, number('replay', seed, 0), number('replay', index, 0));
  return { target: target!, inputs: [input] };
}

function save(finding: Finding, index: number, out: string): string {
  const path = join(out, `${finding.target}-${index}.txt`);
  const head = [
    `# target: ${finding.target}`,
    `# place: ${finding.place}`,
    `# finding: ${finding.kind}: ${finding.message.split('\n')[0]}`,
    '',
  ];
  writeFileSync(
    path,
    [head.join('\n'), ...finding.inputs.map((input) => formatInput(input))].join('# input\n'),
  );
  return path;
}

function explain({ target, kind, message, stack, place }: Finding, path: string): string {
  const where = stack?.split('\n').slice(1, 6).join('\n') ?? '';
  return `FOUND ${target}: ${kind}: ${message.slice(0, 500)}\n${where}\n  --replay ${path} (first at ${place})`;
}

function summary({ target, inputs, seconds, outcomes, findings, samples }: Report): string {
  const all = [...outcomes].sort((a, b) => b[1] - a[1]);
  const shown = all.slice(0, 8).map(([outcome, count]) => `${outcome} ${count}`);
  const rate = Math.round(inputs / seconds);
  const [first, last] = [samples[1] ?? samples[0], samples.at(-1)];
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
  const memory =
    first && last
      ? `; heap ${mib(first.memory)} to ${mib(last.memory)} MiB, rss ${mib(first.rss)} to ${mib(last.rss)} MiB, handles ${first.handles} to ${last.handles}, descriptors ${first.descriptors} to ${last.descriptors}`
      : '';
  const more = all.length > shown.length ? `, and ${all.length - shown.length} more` : '';
  return `${target}: ${inputs} inputs in ${seconds.toFixed(1)} s (${rate}/s), ${findings.length} findings${memory}\n    ${shown.join(', ')}${more}`;
}

function total(reports: readonly Report[], print: (line: string) => void): number {
  const inputs = reports.reduce((sum, report) => sum + report.inputs, 0);
  const findings = reports.reduce((sum, report) => sum + report.findings.length, 0);
  print(`${inputs} inputs, ${findings} findings`);
  return findings > 0 ? 1 : 0;
}
