import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chart, type Manifest, manifests, one, sample } from '../support/chart/helm.js';
import { schemaProblems } from '../support/chart/kubernetes-schemas.js';
import { isAvailable } from '../support/requirements.mjs';

/** The first release with native sidecars by default, an older supported release, and the newest. */
const RELEASES = ['1.29', '1.33', '1.37'];
/**
 * Kinds without a schema: those of the Prometheus operator, and those newer than a release. The packages of the
 * API server have them.
 */
const ELSEWHERE = /^(PodMonitor|PrometheusRule|MutatingAdmissionPolicy|MutatingAdmissionPolicyBinding)$/;

const samples = readdirSync(join(chart, 'ci')).map((file) => file.replace('-values.yaml', ''));

const rendered = (name: string, release = '1.37') =>
  manifests({ files: [sample(name)], kubeVersion: `${release}.0` });

describe.skipIf(!isAvailable('helm') || !isAvailable('kubernetes-schemas'))(
  'the schemas of Kubernetes',
  () => {
    const pairs = RELEASES.flatMap((release) =>
      // Mutating policies came with 1.36. Another test covers the message for older releases.
      samples
        .filter((name) => name !== 'injection' || release === '1.37')
        .map((name) => [release, name] as const),
    );

    it.each(pairs)('%s accept sample %s', async (release, name) => {
      const { problems, unknown } = await schemaProblems(release, await rendered(name, release));
      expect(problems).toEqual([]);
      for (const kind of unknown) expect(kind).toMatch(ELSEWHERE);
    });

    it('reject unknown fields, wrong types and missing fields, and have no schema for unknown kinds', async () => {
      const deployment = one(await rendered('everything'), 'Deployment');
      const broken = async (change: (copy: Manifest) => void) => {
        const copy = structuredClone(deployment);
        change(copy);
        const { problems, unknown } = await schemaProblems('1.33', [copy]);
        return [...problems, ...unknown].join();
      };
      expect(await broken(() => {})).toBe('');
      expect(await broken(({ spec }) => Object.assign(spec, { replica: 1 }))).toContain("'replica'");
      expect(await broken(({ spec }) => Object.assign(spec, { replicas: 'one' }))).toContain('spec.replicas');
      expect(await broken(({ spec }) => delete spec.selector)).toContain("'selector'");
      expect(await broken((copy) => Object.assign(copy, { apiVersion: 'apps/v1beta1' }))).toBe('Deployment');
    });

    it('of a release without native sidecars reject them', async () => {
      // Without this test, a schema that accepts everything would not be noticed.
      const deployment = one(await rendered('external'), 'Deployment');
      expect((await schemaProblems('1.27', [deployment])).problems[0]).toContain("'restartPolicy'");
    });
  },
);
