// Reads the examples of the client rules.
import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { SpreadError, type StatusName } from 'spread-sidecar-client';

/** The examples, relative to this file. */
export const EXAMPLES = new URL('../../../conformance/rules/', import.meta.url);

type Json = Readonly<Record<string, unknown>>;

/** Fails if an object has a member that the test does not know. */
export function checkMembers(value: object, known: readonly string[]): void {
  for (const name of Object.keys(value))
    if (!known.includes(name)) throw new Error(`unknown member "${name}" in ${JSON.stringify(value)}`);
}

/** Reads a file. Its examples have a name, rules and these members. Returns each name with its example. */
export function readExamples<Example>(
  file: string,
  required: readonly (keyof Example & string)[],
  optional: readonly (keyof Example & string)[] = [],
): [name: string, Example][] {
  const content = JSON.parse(readFileSync(new URL(file, EXAMPLES), 'utf8')) as { examples: Json[] };
  checkMembers(content, ['examples']);
  if (content.examples.length === 0) throw new Error(`${file} has no examples`);
  for (const example of content.examples) {
    checkMembers(example, ['name', 'rules', ...required, ...optional]);
    for (const name of ['name', 'rules', ...required])
      if (!(name in example)) throw new Error(`"${name}" is missing in ${JSON.stringify(example.name)}`);
  }
  return content.examples.map((example) => [String(example.name), example as Example]);
}

/**
 * The kind of a step: the only one of its members that is a key of `kinds`.
 *
 * @param kinds - the further members of each kind
 */
export function kindOf<Kind extends string>(
  step: object,
  kinds: Readonly<Record<Kind, readonly string[]>>,
): Kind {
  const found = (Object.keys(kinds) as Kind[]).filter((kind) => kind in step);
  const [kind] = found;
  if (kind === undefined || found.length > 1)
    throw new Error(`not one kind of step: ${JSON.stringify(step)}`);
  checkMembers(step, [kind, ...kinds[kind]]);
  return kind;
}

/** An error in an example. */
export interface ErrorExample {
  status: StatusName;
  reason?: string;
  retryable?: boolean;
  metadata?: Record<string, string>;
}

/** Converts the error of an example. */
export function errorOf(example: ErrorExample): SpreadError {
  checkMembers(example, ['status', 'reason', 'retryable', 'metadata']);
  const { status: name, ...rest } = example;
  if (!(name in status)) throw new Error(`unknown status ${name}`);
  return new SpreadError('made to fail', { status: status[name], ...rest });
}
