// `npm run set-version -- 1.2.3`: sets the version of everything that is released together. Without a version it says which
// there is, and fails when not all places agree.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build.mjs';
import { run } from './run.mjs';

/** Of the Testcontainers module for Java. */
const MODULE_VERSION = /(<artifactId>spread-sidecar-testcontainers<\/artifactId>\s+<version>)([^<]+)(<)/;

/**
 * Every place, each pattern with the version between two groups.
 *
 * @type {readonly (readonly [file: string, pattern: RegExp])[]}
 */
export const places = [
  ['package.json', /^( {2}"version": ")([^"]+)(")/m],
  ['package-lock.json', /^( {2}"version": ")([^"]+)(")/m],
  ['package-lock.json', /(^ {4}"": \{\n {6}"name": "spread-sidecar",\n {6}"version": ")([^"]+)(")/m],
  [
    'package-lock.json',
    /("clients\/typescript": \{\n {6}"name": "spread-sidecar-client",\n {6}"version": ")([^"]+)(")/,
  ],
  ['clients/typescript/package.json', /^( {2}"version": ")([^"]+)(")/m],
  ['clients/testcontainers/node/package.json', /^( {2}"version": ")([^"]+)(")/m],
  ['clients/testcontainers/node/package.json', /("spread-sidecar-client": "\^)([^"]+)(")/],
  ['clients/python/pyproject.toml', /^(version = ")([^"]+)(")/m],
  ['clients/python/src/spread_sidecar/__init__.py', /^(__version__ = ")([^"]+)(")/m],
  ['clients/go/version.go', /(const ClientVersion = ")([^"]+)(")/],
  ['clients/rust/Cargo.toml', /^(version = ")([^"]+)(")/m],
  ['clients/rust/Cargo.lock', /(name = "spread-sidecar-client"\nversion = ")([^"]+)(")/],
  ['clients/java/pom.xml', /(<artifactId>spread-sidecar-client<\/artifactId>\s+<version>)([^<]+)(<)/],
  ['clients/java/README.md', /(<artifactId>spread-sidecar-client<\/artifactId>\s+<version>)([^<]+)(<)/],
  ['clients/testcontainers/python/pyproject.toml', /^(version = ")([^"]+)(")/m],
  ['clients/testcontainers/python/pyproject.toml', /("spread-sidecar-client~=)([^"]+)(")/],
  [
    'clients/testcontainers/python/src/spread_sidecar_testcontainers/__init__.py',
    /^(__version__ = ")([^"]+)(")/m,
  ],
  ['clients/testcontainers/go/go.mod', /(spread-sidecar\/clients\/go v)(\S+)($)/m],
  ['clients/testcontainers/java/pom.xml', MODULE_VERSION],
  ['clients/testcontainers/java/README.md', MODULE_VERSION],
  ['deploy/helm/spread-sidecar/Chart.yaml', /^(version: )(\S+)($)/m],
  ['deploy/helm/spread-sidecar/Chart.yaml', /^(appVersion: ")([^"]+)(")/m],
];

const read = (file) => readFileSync(join(root, file), 'utf8');

/** The version that each place has. */
export function versions() {
  return places.map(([file, pattern]) => {
    const found = pattern.exec(read(file));
    if (!found) throw new Error(`${file} has no version where ${pattern} looks for it`);
    return { file, version: found[2] };
  });
}

export function setVersion(version) {
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version))
    throw new Error(`${version} is no version such as 1.2.3 or 1.2.3-rc.1`);
  for (const [file, pattern] of places)
    writeFileSync(join(root, file), read(file).replace(pattern, `$1${version}$3`));
  // The SBOM names it in several places, and is made of the files above.
  run(process.execPath, [join(root, 'scripts', 'generate-sbom.mjs')]);
}

if (process.argv[1]?.endsWith('version.mjs')) {
  const [, , wanted] = process.argv;
  if (wanted !== undefined) setVersion(wanted);
  const found = versions();
  const all = new Set(found.map(({ version }) => version));
  if (all.size > 1) {
    for (const { file, version } of found) console.error(`${version}  ${file}`);
    console.error('Not one version: run `npm run set-version -- 1.2.3`.');
    process.exitCode = 1;
  } else console.log([...all][0]);
}
