import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helmCommand, helmMajors } from '../../../scripts/helm/commands.mjs';
import { runCommand } from '../run-command.js';

const root = join(import.meta.dirname, '..', '..', '..');

/** The installed major versions of Helm; a test of each runs with what there is. */
export const majors = helmMajors();
const commands = new Map(majors.map((major) => [major, helmCommand(major)!]));

/** The chart's folder. */
export const chart = join(root, 'deploy', 'helm', 'spread-sidecar');

/** What clusters that can inject say that they have. */
const MUTATING_POLICY = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';

/** A sample of `ci/`, without `-values.yaml`. */
export const sample = (name: string): string => join(chart, 'ci', `${name}-values.yaml`);

/** A Kubernetes object, as far as tests look into it by path. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: what is in it differs by kind, and the API server's schema is checked elsewhere.
  readonly [field: string]: any;
}

/** What a chart is rendered with. */
export interface Rendering {
  readonly major?: '3' | '4';
  readonly chart?: string;
  /** Files of values. */
  readonly files?: readonly string[];
  /** Values, merged over the files. */
  readonly values?: unknown;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly release?: string;
}

/** Runs Helm, apart from the repositories and plugins of this machine's user. */
export function helm(major: '3' | '4', ...args: string[]): Promise<string> {
  return runCommand(commands.get(major)!, args, { env: { PATH: process.env.PATH, HOME: '/nonexistent' } });
}

/** Each value with its path: Helm would else put a map in the place of all that is there. */
function leaves(value: unknown, path: readonly string[] = []): string[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap && (path.length === 0 || Object.keys(value).length > 0))
    return Object.entries(value).flatMap(([key, inner]) =>
      leaves(inner, [...path, key.replaceAll('.', '\\.')]),
    );
  return [`${path.join('.')}=${JSON.stringify(value)}`];
}

/** `helm template` as text. The version of Kubernetes is said, as the default depends on how Helm was built. */
export function render(rendering: Rendering = {}): Promise<string> {
  const {
    major = majors.at(-1)!,
    files = [],
    values = {},
    kubeVersion = '1.36.0',
    apiVersions = [MUTATING_POLICY],
  } = rendering;
  const sets = leaves(values).flatMap((leaf) => ['--set-json', leaf]);
  return helm(
    major,
    ...['template', rendering.release ?? 'rel', rendering.chart ?? chart, '--namespace', 'ns'],
    ...['--kube-version', kubeVersion],
    ...files.flatMap((file) => ['-f', file]),
    ...apiVersions.flatMap((version) => ['--api-versions', version]),
    ...sets,
  );
}

/** `helm template` as objects. */
export async function manifests(rendering: Rendering = {}): Promise<Manifest[]> {
  return parseAllDocuments(await render(rendering))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** The one object of a kind, and of a name where there are several. */
export function one(all: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = all.filter((m) => m.kind === kind && (name === undefined || m.metadata.name === name));
  if (found.length !== 1) throw new Error(`${found.length} of kind ${kind} ${name ?? ''}, not one`);
  return found[0]!;
}
