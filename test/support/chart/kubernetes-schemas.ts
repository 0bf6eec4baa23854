import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pythonCommand } from '../requirements.mjs';
import type { Manifest } from './helm.js';

const script = join(import.meta.dirname, '..', '..', 'helm', 'schemas.py');

/** The problems of manifests by the schemas of a Kubernetes release, and the kinds without a schema. */
export async function schemaProblems(version: string, all: readonly Manifest[]) {
  const { problems, unknown } = await jsonCommand<{ problems: string[]; unknown: number[] }>(
    pythonCommand(),
    [script],
    { version, manifests: all },
  );
  return { problems, unknown: unknown.map((at) => all[at]!.kind) };
}

/** Runs a command with JSON input and output. Rejects with its output when it fails. */
async function jsonCommand<T>(command: string, args: readonly string[], input?: unknown): Promise<T> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let answer = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    answer += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    output += chunk;
  });
  // A command that ends before it has read its input reports the reason.
  child.stdin.on('error', () => {});
  child.stdin.end(input === undefined ? '' : JSON.stringify(input));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output.slice(-4000)}`);
  return JSON.parse(answer) as T;
}
