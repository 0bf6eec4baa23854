import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../run-command.js';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(root, 'node_modules', '.cache', 'spread-sidecar-api-server');
const program = join(folder, 'api-server');

/** Maximum time of the first build, which compiles the API server's admission packages. */
export const BUILD_TIMEOUT_MS = 900_000;

/** Builds the program of `admit` and `mistakes`. Requires Go. */
export async function buildApiServer(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const cwd = join(root, 'test', 'helm', 'api-server');
  // A separate file for each process, because suites may run at the same time.
  const own = `${program}-${process.pid}`;
  await runCommand('go', ['build', '-o', own, '.'], { cwd, timeoutMs: BUILD_TIMEOUT_MS });
  renameSync(own, program);
}

function run(mode: string, input: string) {
  const done = spawnSync(program, [mode], {
    input,
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (done.status !== 0) throw new Error(`${mode}: ${done.error?.message ?? done.stderr}`);
  return JSON.parse(done.stdout);
}

/** The pod that the API server would make of a pod, null where the policy does not look at it. */
// biome-ignore lint/suspicious/noExplicitAny: a pod as YAML has it.
export const admit = (policy: unknown, pod: unknown): any => run('admit', JSON.stringify({ policy, pod }));

/** The warnings of a ValidatingAdmissionPolicy about a created object. */
export const warnings = (policy: unknown, object: unknown): string[] =>
  run('warn', JSON.stringify({ policy, object }));

/**
 * Problems of YAML documents with objects of Kubernetes and of the Prometheus operator: unknown fields, values of the wrong type,
 * invalid names and labels, and pods that Pod Security "restricted" rejects.
 */
export const mistakesInYaml = (documents: string): string[] => run('check', documents);

/** The same for objects. */
export const mistakes = (objects: readonly unknown[]): string[] =>
  mistakesInYaml(objects.map((object) => JSON.stringify(object)).join('\n---\n'));
