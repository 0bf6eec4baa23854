import { copyFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../server/src/config/index.js';
import { optionRows } from '../../server/src/config/option-rows.js';
import { isListType } from '../../server/src/config/values/value-type.js';
import { chart, helm, majors, manifests, one, render, sample } from '../support/chart/helm.js';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/tmp.js';

const external = { files: [sample('external')] };

/** The error of each installed Helm for a value that the chart rejects. */
async function refusals(values: unknown): Promise<string[]> {
  return Promise.all(
    majors.map((major) =>
      render({ ...external, major, values }).then(
        () => 'taken',
        (error: Error) => error.message,
      ),
    ),
  );
}

/** Options with their default values, in sections. */
function sections(
  valueFor: (row: (typeof optionRows)[number]) => unknown,
): Record<string, Record<string, unknown>> {
  const found: Record<string, Record<string, unknown>> = {};
  for (const row of optionRows) {
    const value = valueFor(row);
    if (value === undefined) continue;
    found[row.section] ??= {};
    found[row.section]![row.name] = value;
  }
  return found;
}

function defaultOf(row: (typeof optionRows)[number]): unknown {
  if (row.secret) return undefined;
  if (row.isBoolean) return row.default === 'true';
  if (isListType(row.type)) return row.default === '' ? [] : row.default.split(',');
  return /^a (whole )?number/.test(row.type.expects) && /^[\d.]+$/.test(row.default)
    ? Number(row.default)
    : row.default;
}

describe.skipIf(!isAvailable('helm'))('the chart’s values', () => {
  it('cover every option of the sidecar; secrets come from files', async () => {
    const config = sections(defaultOf);
    // By default, the port accepts only connections from the pod itself, which probes cannot use.
    config.admin!.listen = '0.0.0.0:4814';
    const all = await manifests({ ...external, values: { config } });
    const text: string = one(all, 'ConfigMap').data['config.yaml'];
    const loaded = await loadConfig({ file: { path: 'config.yaml', text } });
    const reached = optionRows.filter(({ key }) => loaded.sources[key].kind === 'file').map(({ key }) => key);
    const open = optionRows.filter(({ secret }) => !secret).map(({ key }) => key);
    expect(reached).toEqual(open);
    const plain = await loadConfig({});
    expect({ ...loaded.config, admin: plain.config.admin }).toEqual(plain.config);
  });

  it('reject numbers out of the sidecar’s ranges, each by its name', async () => {
    const above = (row: (typeof optionRows)[number]) => {
      const [, max] = /^a (?:whole )?number from [\d.]+ to ([\d.]+)/.exec(row.type.expects) ?? [];
      return max === undefined ? undefined : Number(max) + 1;
    };
    const numbers = optionRows.filter((row) => above(row) !== undefined);
    expect(numbers.length).toBeGreaterThan(15);
    for (const message of await refusals({ config: sections(above) }))
      for (const { section, name } of numbers)
        expect(message).toMatch(new RegExp(`config[./]${section}[./]${name}`));
  });

  it.each([
    ['a misspelt value', { workload: { replica: 2 } }, 'replica'],
    ['a misspelt group', { worload: {} }, 'worload'],
    ['a misspelt option', { config: { mailbox: { leaseDefalt: '30s' } } }, 'leaseDefalt'],
    ['a misspelt section', { config: { mailboxes: {} } }, 'mailboxes'],
    ['a text for a number', { workload: { replicas: 'two' } }, 'replicas'],
    ['a number for a list', { daemon: { external: { addresses: 4803 } } }, 'addresses'],
    ['too many daemons', { daemon: { statefulSet: { replicas: 21 } } }, 'replicas'],
    ['no port', { daemon: { port: 0 } }, 'port'],
    ['root', { workload: { runAsUser: 0 } }, 'runAsUser'],
    ['a mode that there is not', { sidecar: { mode: 'sidecar' } }, 'mode'],
    ['a daemon that there is not', { daemon: { mode: 'cluster' } }, 'mode'],
    ['a duration without a unit', { config: { drain: { grace: '10' } } }, 'grace'],
    [
      'a size with a unit that there is not',
      { config: { mailbox: { queueMaxBytes: '1TB' } } },
      'queueMaxBytes',
    ],
    ['a file mode as a number', { config: { grpc: { socketMode: 432 } } }, 'socketMode'],
    ['off without quotes', { config: { limits: { maxConnectionIdle: false } } }, 'maxConnectionIdle'],
    ['a secret in the ConfigMap', { config: { admin: { token: 'aaaaaaaaaaaaaaaaaaaa' } } }, 'token'],
    ['a misspelt field of an env entry', { sidecar: { extraEnv: [{ name: 'A', vlue: 'b' }] } }, 'vlue'],
    ['a misspelt field of a volume', { sidecar: { extraVolumes: [{ name: 'a', emptyDr: {} }] } }, 'emptyDr'],
    ['a mount without a path', { sidecar: { extraVolumeMounts: [{ name: 'a' }] } }, 'mountPath'],
    ['a misspelt field of resources', { daemon: { resources: { limit: {} } } }, '/daemon/resources'],
    ['a list for a quantity', { sidecar: { resources: { limits: { cpu: [1] } } } }, 'limits/cpu'],
    ['a number in an env entry', { workload: { env: [{ name: 'A', value: 1 }] } }, '/workload/env/0/value'],
    [
      'a misspelt affinity',
      { workload: { affinity: { nodeAffinity: { requiredDuringScheduling: {} } } } },
      'requiredDuringScheduling',
    ],
    [
      'a misspelt toleration',
      { daemon: { statefulSet: { tolerations: [{ keys: 'a' }] } } },
      '/daemon/statefulSet/tolerations/0',
    ],
    [
      'a misspelt constraint',
      { workload: { topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'a', whenUnsatisfied: 'b' }] } },
      'whenUnsatisfied',
    ],
    ['a misspelt peer', { networkPolicy: { adminFrom: [{ podSelectr: {} }] } }, 'podSelectr'],
    ['a misspelt rule', { networkPolicy: { extraEgress: [{ ports: [{ prot: 1 }] }] } }, '/extraEgress/0'],
    ['an annotation that is no text', { workload: { podAnnotations: { note: 1 } } }, 'note'],
  ])('reject %s', async (_, values, name) => {
    for (const message of await refusals(values)) {
      expect(message).not.toBe('taken');
      expect(message).toContain(name);
      expect(message).toContain('schema');
    }
  });

  it('accept every field of Kubernetes, and quantities as numbers', async () => {
    const values = {
      sidecar: {
        extraEnv: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } }],
        extraVolumes: [{ name: 'a', projected: { sources: [{ configMap: { name: 'c' } }] } }],
        extraVolumeMounts: [{ name: 'a', mountPath: '/a', subPath: 'b' }],
        resources: { limits: { cpu: 1.5, memory: '1Gi', 'example.com/gpu': 1 }, requests: { cpu: '1' } },
      },
      workload: { tolerations: [{ operator: 'Exists' }], affinity: { podAntiAffinity: {} } },
    };
    for (const major of majors)
      expect((await manifests({ ...external, major, values })).length).toBeGreaterThan(3);
  });

  it.skipIf(!isAvailable('kubernetes-schemas'))('have the types of Kubernetes’ own schemas', async () => {
    const folder = join(import.meta.dirname, '..', '..', 'scripts', 'helm');
    const copy = join(temporaryFolder(), 'kubernetes-definitions.py');
    copyFileSync(join(folder, 'kubernetes-definitions.py'), copy);
    await runCommand(pythonCommand(), [copy]);
    const [made, committed] = [copy, join(folder, 'kubernetes-definitions.py')].map((script) =>
      readFileSync(script.replace('.py', '.json'), 'utf8'),
    );
    expect(made).toBe(committed);
  });
});

describe.skipIf(!isAvailable('helm'))('a platform that chooses users and groups itself', () => {
  const ids = /runAsUser|runAsGroup|fsGroup:/;
  const free = {
    sidecar: { fsGroup: null, runAsUser: null },
    workload: { runAsUser: null },
    daemon: { runAsUser: null },
  };

  it.each(['external', 'classic', 'container', 'statefulset', 'everything', 'injection'])(
    'removes them with null, sample %s',
    async (name) => {
      for (const major of majors) {
        const file = { major, files: [sample(name)] };
        expect(await render(file)).toMatch(ids);
        const text = await render({ ...file, values: free });
        expect(text).not.toMatch(ids);
        expect(text).toContain('runAsNonRoot: true');
      }
    },
  );

  it.each(majors)('gets them from a chart that depends on this one, with Helm %s', async (major) => {
    const folder = temporaryFolder();
    const copy = join(folder, 'test', 'helm', 'consumer');
    cpSync(join(import.meta.dirname, 'consumer'), copy, { recursive: true });
    cpSync(chart, join(folder, 'deploy', 'helm', 'spread-sidecar'), { recursive: true });
    await helm(major, 'dependency', 'update', '--skip-refresh', copy);
    const values = { 'spread-sidecar': free };
    expect(await render({ major, chart: copy, values })).not.toMatch(ids);
  });

  it('can set a user of its range', async () => {
    const values = { sidecar: { runAsUser: 1_000_680_000, fsGroup: 1_000_680_000 } };
    const { spec } = one(await manifests({ ...external, values }), 'Deployment').spec.template;
    expect(spec.securityContext).toEqual({ fsGroup: 1_000_680_000 });
    expect(spec.initContainers[0].securityContext).toMatchObject({
      runAsUser: 1_000_680_000,
      runAsGroup: 1_000_680_000,
    });
  });
});
