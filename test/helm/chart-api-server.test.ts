import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { BUILD_TIMEOUT_MS, buildApiServer, mistakes } from '../support/chart/api-server.js';
import { chart, manifests, one, sample } from '../support/chart/helm.js';
import { isAvailable } from '../support/requirements.mjs';

const samples = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));
const plain = join(chart, '..', '..', 'kubernetes');

// biome-ignore lint/suspicious/noExplicitAny: a pod as YAML has it.
type Yaml = any;

describe.skipIf(!isAvailable('helm') || !isAvailable('go'))('the API server accepts', () => {
  beforeAll(buildApiServer, BUILD_TIMEOUT_MS);

  it.each(samples)('every object of sample %s, under Pod Security "restricted"', async (name) => {
    const all = await manifests({ files: [sample(name)] });
    expect(all.length).toBeGreaterThan(0);
    expect(mistakes(all)).toEqual([]);
  });

  it.each(readdirSync(plain).filter((file) => file.endsWith('.yaml')))('every object of %s', (file) => {
    const all = parseAllDocuments(readFileSync(join(plain, file), 'utf8')).map((document) => document.toJS());
    expect(all.length).toBeGreaterThan(1);
    expect(mistakes(all)).toEqual([]);
  });

  it('no unknown field', async () => {
    const deployment = one(await manifests({ files: [sample('external')] }), 'Deployment');
    const [mistake] = mistakes([{ ...deployment, spec: { ...deployment.spec, replica: 2 } }]);
    expect(mistake).toContain('unknown field "spec.replica"');
  });

  it.each(['PodMonitor', 'PrometheusRule'])('no %s with an unknown field', async (kind) => {
    const object = one(await manifests({ files: [sample('everything')] }), kind);
    expect(mistakes([object])).toEqual([]);
    const [mistake] = mistakes([{ ...object, spec: { ...object.spec, intervall: '1m' } }]);
    expect(mistake).toContain('unknown field "spec.intervall"');
  });

  it.each(['runAsNonRoot', 'allowPrivilegeEscalation', 'capabilities', 'seccompProfile'])(
    'no pod without %s',
    async (field) => {
      const deployment: Yaml = one(await manifests({ files: [sample('external')] }), 'Deployment');
      delete deployment.spec.template.spec.containers[0].securityContext[field];
      expect(mistakes([deployment])).toEqual([expect.stringContaining(field)]);
    },
  );
});
