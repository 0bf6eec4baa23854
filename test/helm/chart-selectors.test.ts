import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chart, type Manifest, manifests, one, sample } from '../support/chart/helm.js';
import { type PodTemplate, podTemplates, selects } from '../support/chart/pods.js';
import { isAvailable } from '../support/requirements.mjs';
import { type Endpoint, letsThrough, type Port } from './network-policy.js';

const samples = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));
const rendered = (name: string) => manifests({ files: [sample(name)] });

describe.skipIf(!isAvailable('helm'))('objects that select pods', () => {
  const sidecars = (all: readonly Manifest[]) =>
    podTemplates(all).filter(({ spec }) =>
      [...spec.containers, ...(spec.initContainers ?? [])].some(
        ({ name }: { name: string }) => name === 'spread-sidecar',
      ),
    );
  const selectedBy = (all: readonly Manifest[], selector: object) =>
    podTemplates(all)
      .filter(({ labels }) => selects(selector, labels))
      .map(({ of }) => of);

  it.each(samples)('sample %s: each workload selects the pods that it makes, and no others', async (name) => {
    const all = await rendered(name);
    for (const workload of all.filter(({ spec }) => spec?.template !== undefined))
      expect(selectedBy(all, workload.spec.selector)).toEqual([`${workload.kind} ${workload.metadata.name}`]);
  });

  it('each PodDisruptionBudget matches one workload with more than one pod', async () => {
    const all = await rendered('everything');
    const budgets = all.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.map(({ spec }) => selectedBy(all, spec.selector))).toEqual([
      ['Deployment all'],
      ['StatefulSet ring'],
    ]);
    // At least one pod must be evictable. Otherwise no node could be drained.
    for (const { spec } of budgets) expect(spec.maxUnavailable).toBeGreaterThan(0);
  });

  it('the PodMonitor matches every pod with a sidecar, by a port that the sidecar names', async () => {
    const all = await rendered('everything');
    const { spec } = one(all, 'PodMonitor');
    const monitored = podTemplates(all).filter(({ labels }) => selects(spec.selector, labels));
    expect(monitored.map(({ of }) => of)).toEqual(sidecars(all).map(({ of }) => of));
    expect(monitored.length).toBeGreaterThan(0);
    for (const { of, spec: podSpec } of monitored) {
      const ports = [...podSpec.containers, ...(podSpec.initContainers ?? [])].flatMap((c) => c.ports ?? []);
      expect(
        ports.map((port: { name: string }) => port.name),
        of,
      ).toContain(spec.podMetricsEndpoints[0].port);
    }
  });

  describe('NetworkPolicies', () => {
    const stranger: Endpoint = { labels: { app: 'stranger' }, namespace: 'ns' };
    const inMonitoring: Endpoint = { labels: { app: 'prometheus' }, namespace: 'monitoring' };
    const tcp = (port: number): Port => ({ port, protocol: 'TCP' });
    const udp = (port: number): Port => ({ port, protocol: 'UDP' });

    const everything = async () => {
      const all = await rendered('everything');
      const endpoint = ({ labels }: PodTemplate): Endpoint => ({ labels, namespace: 'ns' });
      const of = (name: string) => endpoint(podTemplates(all).find((template) => template.of === name)!);
      const [workload, daemon] = [of('Deployment all'), of('StatefulSet ring')];
      const through = (from: Endpoint, to: Endpoint, port: Port) => letsThrough(all, 'ns', from, to, port);
      return { all, workload, daemon, through, sidecars: sidecars(all).map(endpoint) };
    };

    it('let each sidecar reach its daemons, and nothing else', async () => {
      const { daemon, through, sidecars } = await everything();
      expect(sidecars.length).toBeGreaterThan(0);
      for (const sidecar of sidecars) {
        expect(through(sidecar, daemon, tcp(4803))).toBe(true);
        expect(through(sidecar, daemon, udp(4803))).toBe(false);
      }
      expect(through(stranger, daemon, tcp(4803))).toBe(false);
      expect(through({ ...stranger, namespace: 'other' }, daemon, tcp(4803))).toBe(false);
    });

    it('let injected pods of namespaces that opt in reach the daemons', async () => {
      const all = await manifests({
        files: [sample('everything')],
        values: { injection: { enabled: true } },
      });
      const [{ labels }] = podTemplates(all).filter(({ of }) => of === 'StatefulSet ring') as [PodTemplate];
      const daemon: Endpoint = { labels, namespace: 'ns' };
      const injected: Endpoint = {
        labels: { 'spread-sidecar/release': 'rel' },
        namespace: 'apps',
        namespaceLabels: { 'spread-sidecar/inject': 'enabled' },
      };
      const through = (from: Endpoint) => letsThrough(all, 'ns', from, daemon, tcp(4803));
      expect(through(injected)).toBe(true);
      expect(through({ ...injected, namespaceLabels: {} })).toBe(false);
      expect(through({ ...injected, labels: {} })).toBe(false);
      expect(letsThrough(await rendered('everything'), 'ns', injected, daemon, tcp(4803))).toBe(false);
    });

    it('let the daemons reach each other', async () => {
      const { daemon, through } = await everything();
      expect(through(daemon, daemon, udp(4803))).toBe(true);
      expect(through(daemon, daemon, udp(4804))).toBe(true);
      expect(through(stranger, daemon, udp(4803))).toBe(false);
    });

    it('allow the named clients on the admin port, and none on the gRPC port', async () => {
      const { workload, through } = await everything();
      expect(through(inMonitoring, workload, tcp(4814))).toBe(true);
      expect(through(stranger, workload, tcp(4814))).toBe(false);
      for (const from of [inMonitoring, stranger]) expect(through(from, workload, tcp(4813))).toBe(false);
    });

    it('allow DNS', async () => {
      const { workload, daemon, through } = await everything();
      const dns: Endpoint = { labels: { 'k8s-app': 'kube-dns' }, namespace: 'kube-system' };
      for (const from of [workload, daemon])
        for (const port of [tcp(53), udp(53)]) expect(through(from, dns, port)).toBe(true);
    });

    it('would fail with another label', async () => {
      const { all, workload, daemon } = await everything();
      const renamed = all.map((manifest) => {
        const copy = structuredClone(manifest);
        if (copy.kind === 'NetworkPolicy') copy.spec.podSelector = { matchLabels: { app: 'no-such' } };
        return copy;
      });
      expect(letsThrough(renamed, 'ns', stranger, daemon, tcp(4803))).toBe(true);
      expect(letsThrough(renamed, 'ns', stranger, workload, tcp(4813))).toBe(true);
    });
  });
});
