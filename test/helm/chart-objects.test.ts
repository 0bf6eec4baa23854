import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { chart, majors, manifests, one, sample } from '../support/chart/helm.js';
import { isAvailable } from '../support/requirements.mjs';
import { cli } from '../support/sidecars/cli.js';
import { startWhole } from '../support/sidecars/whole-sidecar.js';

const everything = { files: [sample('everything')] };

describe.skipIf(!isAvailable('helm'))('the objects of the chart beside pods', () => {
  it.each([
    ['podMonitor', 'PodMonitor'],
    ['prometheusRule', 'PrometheusRule'],
    ['dashboard', 'ConfigMap'],
    ['networkPolicy', 'NetworkPolicy'],
    ['podDisruptionBudget', 'PodDisruptionBudget'],
    ['test', 'Pod'],
    ['workload', 'Deployment'],
  ])('%s can be disabled', async (value, kind) => {
    const count = async (enabled: boolean) =>
      (await manifests({ ...everything, values: { [value]: { enabled } } })).filter((m) => m.kind === kind)
        .length;
    expect(await count(false)).toBeLessThan(await count(true));
  });

  it('PodMonitor and NetworkPolicy find the pods', async () => {
    const all = await manifests(everything);
    const { labels } = one(all, 'Deployment').spec.template.metadata;
    const monitor = one(all, 'PodMonitor').spec;
    expect(labels).toMatchObject(monitor.selector.matchLabels);
    expect(monitor.podMetricsEndpoints).toMatchObject([
      { port: 'spread-admin', path: '/metrics', interval: '30s' },
    ]);
    expect(labels).toMatchObject(one(all, 'NetworkPolicy', 'all').spec.podSelector.matchLabels);
    expect(one(all, 'Pod').metadata.labels).toMatchObject(monitor.selector.matchLabels);
    const daemons = one(all, 'StatefulSet').spec.template.metadata.labels;
    expect(daemons).toMatchObject(one(all, 'NetworkPolicy', 'all-daemon').spec.podSelector.matchLabels);
    expect(daemons).toMatchObject(one(all, 'Service', 'ring').spec.selector);
    for (const [component, pod] of [
      ['workload', labels],
      ['daemon', daemons],
    ])
      expect(pod).toMatchObject(
        one(all, 'PodDisruptionBudget', `all-${component}`).spec.selector.matchLabels,
      );
  });

  it('the rules are those of rules/, unchanged', async () => {
    const file = parse(readFileSync(join(chart, 'rules', 'spread-sidecar.rules.yaml'), 'utf8'));
    expect(one(await manifests(everything), 'PrometheusRule').spec.groups).toEqual(file.groups);
  });

  it("the dashboard is that of dashboards/, with Grafana's label", async () => {
    const map = one(await manifests(everything), 'ConfigMap', 'all-dashboard');
    expect(map.metadata.labels.grafana_dashboard).toBe('1');
    const file = readFileSync(join(chart, 'dashboards', 'spread-sidecar.json'), 'utf8');
    expect(JSON.parse(map.data['spread-sidecar.json'])).toEqual(JSON.parse(file));
  });

  it('a NetworkPolicy lets the sidecar reach its external daemons only', async () => {
    const all = await manifests({
      files: [sample('external')],
      values: { networkPolicy: { enabled: true } },
    });
    const { ingress, egress } = one(all, 'NetworkPolicy').spec;
    expect(ingress).toEqual([{ ports: [{ port: 4814 }] }]);
    expect(egress.slice(1)).toEqual([{ ports: [{ port: 4803 }] }]);
  });

  it('daemons of a StatefulSet reach each other under a NetworkPolicy by their ports', async () => {
    const policy = one(await manifests(everything), 'NetworkPolicy', 'all-daemon').spec;
    const ports = [
      { port: 4803, protocol: 'UDP' },
      { port: 4804, protocol: 'UDP' },
      // The ports for announcements of new addresses.
      { port: 4815 },
    ];
    expect(policy.ingress[1].ports).toEqual(ports);
    expect(policy.egress.at(-1).ports).toEqual(ports);
  });

  it.each([
    ['3', 'before-hook-creation'],
    ['4', 'before-hook-creation,hook-succeeded'],
  ] as const)(
    'the pod of a successful test stays until Helm %s can print its logs',
    async (major, policy) => {
      if (!majors.includes(major)) return;
      const { metadata } = one(await manifests({ major, files: [sample('external')] }), 'Pod');
      expect(metadata).toMatchObject({ annotations: { 'helm.sh/hook-delete-policy': policy } });
    },
  );

  it('Services of Spread daemons are for IPv4, because Spread supports only IPv4', async () => {
    const services = (await manifests(everything)).filter(({ kind }) => kind === 'Service');
    expect(services).toHaveLength(2);
    for (const { spec } of services)
      expect(spec).toMatchObject({ ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] });
  });

  it('the test sends by the command line of the image, through the sidecar beside it', async () => {
    const { metadata, spec } = one(await manifests({ files: [sample('external')] }), 'Pod');
    expect(metadata).toMatchObject({ annotations: { 'helm.sh/hook': 'test' } });
    expect(spec.restartPolicy).toBe('Never');
    expect(spec.initContainers[0]).toMatchObject({ name: 'spread-sidecar', restartPolicy: 'Always' });
    // The command of the test really multicasts, and can fail.
    const [{ args, env }] = spec.containers;
    expect(env[0].name).toBe('SPREAD_SIDECAR_TARGET');
    const { sockets } = await startWhole();
    const sent = await cli(args, { env: { SPREAD_SIDECAR_TARGET: `unix://${sockets.grpc}` } });
    expect(sent).toMatchObject({ exitCode: 0 });
    expect(sent.stdout).toMatch(/\b200\b/);
    const nobody = await cli(args, { env: { SPREAD_SIDECAR_TARGET: `unix://${sockets.grpc}-gone` } });
    expect(nobody).toMatchObject({ exitCode: 3 });
  });
});
