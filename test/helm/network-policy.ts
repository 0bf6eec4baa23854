import type { Manifest } from '../support/chart/helm.js';
import { type LabelSelector, selects } from '../support/chart/pods.js';

/** The properties of a pod that network policies use. */
export interface Endpoint {
  readonly labels: Record<string, string>;
  readonly namespace: string;
  /** Labels of the pod's namespace, besides the name label that Kubernetes sets. */
  readonly namespaceLabels?: Record<string, string>;
}

export interface Port {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { port?: number | string; protocol?: string; endPort?: number }[];
}

interface Peer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: unknown;
}

/** Whether the NetworkPolicies of `namespace` among the manifests allow a connection. */
export function letsThrough(
  manifests: readonly Manifest[],
  namespace: string,
  from: Endpoint,
  to: Endpoint,
  port: Port,
): boolean {
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');
  const direction = (type: 'Ingress' | 'Egress', self: Endpoint, other: Endpoint) => {
    const applying = policies.filter(
      ({ spec }) =>
        spec.policyTypes.includes(type) &&
        self.namespace === namespace &&
        selects(spec.podSelector, self.labels),
    );
    const rules: Rule[] = applying.flatMap(({ spec }) => spec[type.toLowerCase()] ?? []);
    // A pod that no policy selects accepts all connections.
    return applying.length === 0 || rules.some((rule) => matches(rule, namespace, other, port));
  };
  return direction('Egress', from, to) && direction('Ingress', to, from);
}

function matches(rule: Rule, namespace: string, other: Endpoint, { port, protocol }: Port): boolean {
  const peers = rule.from ?? rule.to;
  const ports = rule.ports ?? [{ protocol }];
  return (
    (peers === undefined || peers.some((peer) => isPeer(peer, namespace, other))) &&
    ports.some((allowed) => {
      if (typeof allowed.port === 'string') throw new Error(`a port by name: ${allowed.port}`);
      const first = allowed.port ?? 0;
      const last = allowed.endPort ?? allowed.port ?? 65_535;
      return (allowed.protocol ?? 'TCP') === protocol && first <= port && port <= last;
    })
  );
}

function isPeer(
  { podSelector, namespaceSelector, ipBlock }: Peer,
  namespace: string,
  other: Endpoint,
): boolean {
  if (ipBlock !== undefined) return false;
  const inNamespace = namespaceSelector
    ? selects(namespaceSelector, {
        ...other.namespaceLabels,
        'kubernetes.io/metadata.name': other.namespace,
      })
    : other.namespace === namespace;
  return inNamespace && selects(podSelector ?? {}, other.labels);
}
