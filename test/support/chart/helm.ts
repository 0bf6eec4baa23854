import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { helmCommand, helmMajors } from '../../../scripts/helm/commands.mjs';
import { runCommand } from '../run-command.js';

const root = join(import.meta.dirname, '..', '..', '..');

/** The installed major versions of Helm. Tests run with each of them. */
export const majors = helmMajors();
const commands = new Map(majors.map((major) => [major, helmCommand(major)!]));

/** The chart's folder. */
export const chart = join(root, 'deploy', 'helm', 'spread-sidecar');

/** An API of clusters that support injection. */
const MUTATING_POLICY = 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy';

/** A sample of `ci/`, without `-values.yaml`. */
export const sample = (name: string): string => join(chart, 'ci', `${name}-values.yaml`);

/** A Kubernetes object, as far as tests read it by path. */
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

/** The inputs of a rendering. */
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

/** Runs Helm without the repositories and plugins of the user. */
export function helm(major: '3' | '4', ...args: string[]): Promise<string> {
  return runCommand(commands.get(major)!, args, { env: { PATH: process.env.PATH, HOME: '/nonexistent' } });
}

/** Each value with its path. Otherwise Helm would replace whole maps. */
function leaves(value: unknown, path: readonly string[] = []): string[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap && (path.length === 0 || Object.keys(value).length > 0))
    return Object.entries(value).flatMap(([key, inner]) =>
      leaves(inner, [...path, key.replaceAll('.', '\\.')]),
    );
  return [`${path.join('.')}=${JSON.stringify(value)}`];
}

/**
 * Runs `helm template` and returns its text. Sets the version of Kubernetes, because the default depends on
 * Helm's build.
 */
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

/** Runs `helm template` and returns objects. */
export async function manifests(rendering: Rendering = {}): Promise<Manifest[]> {
  return parseAllDocuments(await render(rendering))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** The object of a kind, and of a name if there are several. */
export function one(all: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = all.filter((m) => m.kind === kind && (name === undefined || m.metadata.name === name));
  if (found.length !== 1) throw new Error(`${found.length} of kind ${kind} ${name ?? ''}, not one`);
  return found[0]!;
}
