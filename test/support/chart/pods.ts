import type { Manifest } from './helm.js';

type Labels = Record<string, string>;

/** A label selector of NetworkPolicy, PodDisruptionBudget, PodMonitor and workloads. */
export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values?: readonly string[];
  }[];
}

/** The pods of a workload, or a Pod itself. */
export interface PodTemplate {
  /** Kind and name of the workload. */
  readonly of: string;
  readonly labels: Labels;
  // biome-ignore lint/suspicious/noExplicitAny: looked into by path.
  readonly spec: any;
}

/** All pods of the manifests. */
export function podTemplates(manifests: readonly Manifest[]): PodTemplate[] {
  return manifests.flatMap((manifest) => {
    const of = `${manifest.kind} ${manifest.metadata.name}`;
    if (manifest.kind === 'Pod') return [{ of, labels: manifest.metadata.labels ?? {}, spec: manifest.spec }];
    const job = manifest.kind === 'CronJob' ? manifest.spec.jobTemplate : manifest;
    const template = job.spec?.template;
    return template?.spec?.containers === undefined
      ? []
      : [{ of, labels: template.metadata?.labels ?? {}, spec: template.spec }];
  });
}

/** Whether a selector matches these labels. An empty one matches all. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const has = (key: string, values: readonly string[]) => key in labels && values.includes(labels[key]!);
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(
      ({ key, operator, values = [] }) =>
        ({
          In: has(key, values),
          NotIn: !has(key, values),
          Exists: key in labels,
          DoesNotExist: !(key in labels),
        })[operator],
    )
  );
}
