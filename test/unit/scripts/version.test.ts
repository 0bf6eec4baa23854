import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8');
const { version } = JSON.parse(read('package.json'));

const JSON_VERSION = /^ {2}"version": "([^"]+)"/m;
const QUOTED_VERSION = /^_{0,2}version_{0,2} = "([^"]+)"/m;
const POM_VERSION = /<artifactId>spread-sidecar-(?:client|testcontainers)<\/artifactId>\s+<version>([^<]+)</;

/** Each location of a released version, with the version as the first group. */
const PLACES: readonly (readonly [file: string, pattern: RegExp])[] = [
  ['package-lock.json', JSON_VERSION],
  ['package-lock.json', /"": \{\n {6}"name": "spread-sidecar",\n {6}"version": "([^"]+)"/],
  ['package-lock.json', /"name": "spread-sidecar-client",\n {6}"version": "([^"]+)"/],
  ['package-lock.json', /"name": "spread-sidecar-proto",\n {6}"version": "([^"]+)"/],
  ['proto/package.json', JSON_VERSION],
  ['clients/typescript/package.json', JSON_VERSION],
  ['clients/testcontainers/node/package.json', JSON_VERSION],
  ['clients/testcontainers/node/package.json', /"spread-sidecar-client": "\^([^"]+)"/],
  ['clients/python/pyproject.toml', QUOTED_VERSION],
  ['clients/python/src/spread_sidecar/__init__.py', QUOTED_VERSION],
  ['clients/go/version.go', /ClientVersion = "([^"]+)"/],
  ['clients/rust/Cargo.toml', QUOTED_VERSION],
  ['clients/rust/Cargo.lock', /name = "spread-sidecar-client"\nversion = "([^"]+)"/],
  ['clients/java/pom.xml', POM_VERSION],
  ['clients/java/README.md', POM_VERSION],
  ['clients/testcontainers/python/pyproject.toml', QUOTED_VERSION],
  ['clients/testcontainers/python/pyproject.toml', /"spread-sidecar-client~=([^"]+)"/],
  ['clients/testcontainers/python/src/spread_sidecar_testcontainers/__init__.py', QUOTED_VERSION],
  ['clients/testcontainers/go/go.mod', /spread-sidecar\/clients\/go v(\S+)/],
  ['clients/testcontainers/java/pom.xml', POM_VERSION],
  ['clients/testcontainers/java/README.md', POM_VERSION],
  ['deploy/helm/spread-sidecar/Chart.yaml', /^version: (\S+)$/m],
  ['deploy/helm/spread-sidecar/Chart.yaml', /^appVersion: "([^"]+)"/m],
  ['sbom.cdx.json', /"bom-ref": "spread-sidecar@([^"]+)"/],
];

describe('the version', () => {
  it.each(PLACES)('in %s is the version of package.json: %s', (file, pattern) => {
    expect(pattern.exec(read(file))?.[1]).toBe(version);
  });

  it('is checked in every manifest of the repository that names a released package', () => {
    const manifests = ['*package.json', '*pyproject.toml', '*Cargo.toml', '*pom.xml', '*Chart.yaml'];
    const listed = execFileSync('git', ['ls-files', '--', ...manifests], { cwd: root, encoding: 'utf8' });
    const checked = new Set(['package.json', ...PLACES.map(([file]) => file)]);
    // Crates of the tests, and a chart that uses the template library.
    const unreleased = /^(clients\/rust\/(conformance|generator)\/Cargo\.toml|test\/)/;
    const files = listed.split('\n').filter((file) => file !== '' && !unreleased.test(file));
    expect(files.filter((file) => !checked.has(file))).toEqual([]);
  });
});
