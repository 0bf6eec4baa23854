// Writes sbom.cdx.json: what the image holds besides its base, as CycloneDX 1.5, from the lock file alone. (`npm sbom` of npm 11 leaves
// out a second version of the same package, and that of npm 10 writes other properties.)
import { Buffer } from 'node:buffer';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build.mjs';

const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { packages } = read('package-lock.json');
const { description } = read('package.json');

/** Where a package stands in the lock file, for a dependency of another one, as Node resolves it. */
function resolve(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const path = `${folder ? `${folder}/` : ''}node_modules/${name}`;
    if (packages[path]) return packages[path].link ? packages[path].resolved : path;
    if (folder === '') return undefined;
  }
}

const nameOf = (path) =>
  packages[path].name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const refOf = (path) => `${nameOf(path)}@${packages[path].version}`;

/** What is reached from the root without development dependencies, by its path. */
const reached = new Map();
const waiting = [''];
for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
  if (reached.has(path)) continue;
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[path];
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const found = names.map((name) => resolve(path, name)).filter((one) => one !== undefined);
  reached.set(path, found);
  waiting.push(...found);
}

function component(path, type) {
  const { version, license, integrity } = packages[path];
  const [algorithm, digest] = integrity?.split('-', 2) ?? [];
  return {
    type,
    'bom-ref': refOf(path),
    name: nameOf(path),
    version,
    ...(algorithm && {
      hashes: [
        {
          alg: algorithm.toUpperCase().replace('SHA', 'SHA-'),
          content: Buffer.from(digest, 'base64').toString('hex'),
        },
      ],
    }),
    ...(license && {
      licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }],
    }),
    purl: `pkg:npm/${nameOf(path).replace('@', '%40')}@${version}`,
  };
}

const once = (entries, key) =>
  [...new Map(entries.map((entry) => [entry[key], entry])).values()].sort((a, b) =>
    a[key] < b[key] ? -1 : 1,
  );
const paths = [...reached.keys()];
const sbom = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { lifecycles: [{ phase: 'build' }], component: { ...component('', 'application'), description } },
  components: once(
    paths.filter((path) => path !== '').map((path) => component(path, 'library')),
    'bom-ref',
  ),
  dependencies: once(
    paths.map((path) => ({ ref: refOf(path), dependsOn: [...new Set(reached.get(path).map(refOf))].sort() })),
    'ref',
  ),
};
writeFileSync(join(root, 'sbom.cdx.json'), `${JSON.stringify(sbom, null, 2)}\n`);
