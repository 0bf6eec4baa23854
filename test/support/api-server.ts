import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.js';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'node_modules', '.cache', 'spread-sidecar-api-server');
const program = join(folder, 'api-server');

/** What the first build may take: it compiles the API server's admission packages. */
export const BUILD_TIMEOUT_MS = 900_000;

/** Builds what `admit` and `mistakes` run. Needs Go. */
export async function buildApiServer(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const cwd = join(root, 'test', 'helm', 'api-server');
  // Suites that run at the same time do not write one file.
  const own = `${program}-${process.pid}`;
  await runCommand('go', ['build', '-o', own, '.'], { cwd, timeoutMs: BUILD_TIMEOUT_MS });
  renameSync(own, program);
}

function run(mode: string, input: unknown) {
  const done = spawnSync(program, [mode], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (done.status !== 0) throw new Error(`${mode}: ${done.error?.message ?? done.stderr}`);
  return JSON.parse(done.stdout);
}

/** The pod that the API server would make of a pod, null where the policy does not look at it. */
// biome-ignore lint/suspicious/noExplicitAny: a pod as YAML has it.
export const admit = (policy: unknown, pod: unknown): any => run('admit', { policy, pod });

/** Fields that objects of Kubernetes' own kinds and the Prometheus operator's do not have, and what Pod Security "restricted" refuses of their pods. */
export const mistakes = (objects: readonly unknown[]): string[] => run('check', objects);
