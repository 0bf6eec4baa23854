import { beforeAll, describe, expect, it } from 'vitest';
import { BUILD_TIMEOUT_MS, buildApiServer, mistakesInYaml } from '../support/chart/api-server.js';
import {
  type Manifest,
  majors,
  manifests,
  one,
  type Rendering,
  render,
  sample,
} from '../support/chart/helm.js';
import { isAvailable } from '../support/requirements.mjs';

/** Everything that the chart can render, including its injection policy. */
const everything = { files: [sample('everything')], values: { injection: { enabled: true } } };

/** The names are derived from the release. */
const named = (rendering: Rendering) => ({
  ...everything,
  ...rendering,
  values: {
    ...everything.values,
    fullnameOverride: '',
    daemon: { statefulSet: { name: '' } },
    ...(rendering.values as object),
  },
});

const namesOf = (all: readonly Manifest[]) =>
  all.filter(({ kind }) => kind !== 'List').map(({ kind, metadata }) => `${kind} ${metadata.name}`);

describe.skipIf(!isAvailable('helm') || !isAvailable('go'))('the API server accepts', () => {
  beforeAll(buildApiServer, BUILD_TIMEOUT_MS);

  it.each([
    '12345',
    '1e5',
    '007',
    '0x10',
    'true',
    'on',
    'y',
    'null',
    '9lives',
    'my.app',
    'a.b-c.d',
    'a'.repeat(53),
    `${'a'.repeat(39)}.${'b'.repeat(13)}`,
  ])('every object of a release %s', async (release) => {
    for (const major of majors) {
      const text = await render(named({ major, release }));
      expect(text.match(/^kind: /gm)!.length).toBeGreaterThan(12);
      expect(mistakesInYaml(text)).toEqual([]);
    }
  });

  it.each([
    { nameOverride: '123' },
    { nameOverride: '1e5' },
    { nameOverride: 'Über App' },
    { fullnameOverride: '007' },
    { fullnameOverride: 'My_App.Name' },
    { fullnameOverride: 'on' },
    { serviceAccount: { name: '123' } },
    { serviceAccount: { name: '1e5', create: false } },
    { image: { pullSecrets: ['123', 'true'] } },
    { image: { repository: '123', tag: '1e5' } },
    { workload: { podLabels: { stage: 'on' }, podAnnotations: { 'example.com/number': '1' } } },
    { injection: { enabled: true, namespaceLabels: { stage: '1' } } },
    { secrets: { tokens: { name: '1', key: '2' }, appToken: { name: 'on', key: 'y' } } },
    { podMonitor: { labels: { release: '1' } }, dashboard: { labels: { grafana_dashboard: '1' } } },
  ])('every object with %o', async (values) => {
    for (const major of majors) expect(mistakesInYaml(await render(named({ major, values })))).toEqual([]);
  });

  it('no numeric label, no Service that starts with a digit, and no name with a capital letter', () => {
    const service = (metadata: string) => `apiVersion: v1\nkind: Service\nmetadata: ${metadata}\n`;
    expect(mistakesInYaml(service('{name: a, labels: {a: 1}}'))).toEqual([
      expect.stringContaining('unmarshal'),
    ]);
    expect(mistakesInYaml(service('{name: 9lives}'))).toEqual([expect.stringContaining('DNS-1035')]);
    expect(mistakesInYaml('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A}\n')).toEqual([
      expect.stringContaining('RFC 1123'),
    ]);
  });
});

describe.skipIf(!isAvailable('helm'))('the names of two releases differ', () => {
  const long = 'a'.repeat(50);
  it.each([
    ['that are equal in the first 40 characters', `${long}-b`, `${long}-c`],
    ['that differ in a dot', 'my.app', 'my-app'],
    ['of which one looks like the truncated name of the other', long, 'a'.repeat(31)],
  ])('%s', async (_, first, second) => {
    const [ours, theirs] = await Promise.all(
      [first, second].map(async (release) => namesOf(await manifests(named({ release })))),
    );
    expect(ours!.length).toBeGreaterThan(12);
    expect(ours!.filter((name) => theirs!.includes(name))).toEqual([]);
  });

  it('by a fullnameOverride that is truncated', async () => {
    const name = async (last: string) => {
      const values = { fullnameOverride: `${'a'.repeat(60)}${last}` };
      return one(await manifests(named({ values })), 'Deployment').metadata.name;
    };
    const [first, second] = [await name('b'), await name('c')];
    expect(first).toMatch(/^a{31}-[0-9a-f]{8}$/);
    expect(first).not.toBe(second);
  });

  it('by their namespaces, for the policy without one', async () => {
    const policy = one(await manifests(named({ release: 'rel' })), 'MutatingAdmissionPolicy');
    expect(policy.metadata.name).toBe('ns.rel-spread-sidecar');
  });

  it('unless they are short: then the names are readable', async () => {
    const names = namesOf(await manifests(named({ release: 'shop' })));
    expect(names).toContain('Deployment shop-spread-sidecar');
    expect(names).toContain('Service shop-spread');
  });
});
