// `node scripts/prune-image.mjs FROM TO`, in the Dockerfile: copies the image's files of the built project at
// FROM to TO. Files that no running program reads (types, source maps, manuals of packages) are omitted;
// licences are included.
import { cpSync, existsSync, mkdirSync, readdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isLicence, licenceFiles, licenceWithoutFile } from './licences.mjs';

const [from, to] = process.argv.slice(2);
const UNREAD = /(\.d\.[cm]?ts|\.[cm]?ts|\.map|\.md|\.markdown|\.flow|\.tsbuildinfo)$/i;
/** Builds for bundlers. Node loads `build/src`. */
const UNREAD_BUILD = /\/@opentelemetry\/[^/]+\/build\/(esm|esnext)$/;
const UNREAD_FOLDERS = new Set([
  '.bin',
  '.github',
  '@types',
  'undici-types',
  'test',
  'tests',
  '__tests__',
  'bench',
  'benchmark',
  'benchmarks',
]);

function copy(path) {
  cpSync(join(from, path), join(to, 'app', path), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) =>
      isLicence(basename(file)) ||
      (!UNREAD.test(file) && !UNREAD_BUILD.test(file) && !UNREAD_FOLDERS.has(basename(file))),
  });
}

for (const path of [
  'node_modules',
  'bin',
  'dist/server/bundle',
  'dist/page',
  'proto/spread',
  'package.json',
  'sbom.cdx.json',
  'LICENSE',
])
  copy(path);
for (const folder of ['proto', 'clients/typescript'])
  for (const path of ['package.json', 'dist']) copy(join(folder, path));
addLicences(join(to, 'app/node_modules'));
removeEmpty(join(to, 'app'));

const commands = join(to, 'usr/local/bin');
mkdirSync(commands, { recursive: true });
symlinkSync('/app/bin/spread-sidecar.mjs', join(commands, 'spread-sidecar'));

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Adds a licence to each package in a folder `node_modules`. Throws if there is none. */
function addLicences(modules) {
  for (const entry of readdirSync(modules, { withFileTypes: true })) {
    const folder = join(modules, entry.name);
    // A link leads to a package of this project.
    if (!entry.isDirectory()) continue;
    if (entry.name.startsWith('@')) addLicences(folder);
    else if (existsSync(join(folder, 'package.json'))) addLicence(folder);
    if (existsSync(join(folder, 'node_modules'))) addLicences(join(folder, 'node_modules'));
  }
}

function addLicence(folder) {
  if (licenceFiles(folder).length > 0) return;
  writeFileSync(join(folder, 'LICENSE'), licenceWithoutFile(from, folder));
}
