// Writes sbom.cdx.json: the content of the image on top of its base, as CycloneDX 1.5, from the lock file.
// (`npm sbom` of npm 11 omits a second version of the same package, and that of npm 10 writes other
// properties.)
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_PACKAGES, root } from './build.mjs';

const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { packages } = read('package-lock.json');
const { description, version: release } = read('package.json');
const file = join(root, 'sbom.cdx.json');

/** The path in the lock file of a package's dependency, resolved as in Node. */
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

/** The package contains its workspaces. */
const bundled = Object.fromEntries(
  packages[''].workspaces.map((folder) => [packages[folder].name, packages[folder].version]),
);

/** The packages that the root needs without development dependencies, and those in the status page, by path. */
const reached = new Map();
const waiting = [''];
for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
  if (reached.has(path)) continue;
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = packages[path];
  const own = { ...dependencies, ...optionalDependencies, ...peerDependencies };
  const names = path === '' ? [...Object.keys({ ...own, ...bundled }), ...PAGE_PACKAGES] : Object.keys(own);
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
const content = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: {
    lifecycles: [{ phase: 'build' }],
    tools: {
      components: [
        { type: 'application', name: 'spread-sidecar scripts/generate-sbom.mjs', version: release },
      ],
    },
    component: { ...component('', 'application'), description },
  },
  components: once(
    paths.filter((path) => path !== '').map((path) => component(path, 'library')),
    'bom-ref',
  ),
  dependencies: once(
    paths.map((path) => ({ ref: refOf(path), dependsOn: [...new Set(reached.get(path).map(refOf))].sort() })),
    'ref',
  ),
};
writeFileSync(file, `${JSON.stringify(withIdentity(content), null, 2)}\n`);

/**
 * Adds the serial number, a UUID (version 8) of the content, and the time of the last change. The same
 * content gives the same file at any time. SOURCE_DATE_EPOCH, in seconds, sets the time of a changed content.
 */
function withIdentity({ $schema, bomFormat, specVersion, version, metadata, ...rest }) {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const groups = [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `8${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ];
  const serialNumber = `urn:uuid:${groups.join('-')}`;
  const before = existsSync(file) ? read('sbom.cdx.json') : {};
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const now = new Date(epoch ? Number(epoch) * 1000 : Date.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const timestamp = before.serialNumber === serialNumber ? before.metadata.timestamp : now;
  return {
    $schema,
    bomFormat,
    specVersion,
    serialNumber,
    version,
    metadata: { timestamp, ...metadata },
    ...rest,
  };
}
