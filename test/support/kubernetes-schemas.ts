import { join } from 'node:path';
import type { Manifest } from './helm.js';
import { jsonCommand } from './json-command.js';
import { pythonCommand } from './requirements.mjs';

const script = join(import.meta.dirname, '..', 'helm', 'schemas.py');

/** What the schemas of a Kubernetes release say of manifests, and the kinds that they do not contain. */
export async function schemaProblems(version: string, all: readonly Manifest[]) {
  const { problems, unknown } = await jsonCommand<{ problems: string[]; unknown: number[] }>(
    pythonCommand(),
    [script],
    { version, manifests: all },
  );
  return { problems, unknown: unknown.map((at) => all[at]!.kind) };
}
