import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../support/chart/helm.js';
import { schemaProblems } from '../support/chart/kubernetes-schemas.js';
import { isAvailable } from '../support/requirements.mjs';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'rolling-update');
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

const manifestsOf = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => document.toJS());

describe('the manifests of docs/rolling-updates.md', () => {
  it.skipIf(!isAvailable('kubernetes-schemas')).each(files)(
    '%s matches the schemas of Kubernetes',
    async (file) => {
      for (const release of ['1.29', '1.37'])
        expect(await schemaProblems(release, manifestsOf(file))).toEqual({ problems: [], unknown: [] });
    },
  );

  it('stop a consumer only when the next one is ready, and never evict it', () => {
    const [deployment, budget] = manifestsOf('consumer.yaml');
    expect(deployment!.spec.strategy).toEqual({ rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    expect(deployment!.spec.template.spec.containers[0].readinessProbe).toBeDefined();
    expect(budget!.spec).toMatchObject({ maxUnavailable: 0, selector: deployment!.spec.selector });
  });
});
