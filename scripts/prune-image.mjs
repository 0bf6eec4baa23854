// `node scripts/prune-image.mjs FROM TO`, in the Dockerfile: lays out below TO what the image holds of the built project at
// FROM. What no running program reads (types, source maps, manuals of packages) stays behind; licences go along.
import { cpSync, mkdirSync, readdirSync, rmdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const [from, to] = process.argv.slice(2);
const UNREAD = /(\.d\.[cm]?ts|\.[cm]?ts|\.map|\.md|\.markdown|\.flow|\.tsbuildinfo)$/i;
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
    filter: (file) => !UNREAD.test(file) && !UNREAD_FOLDERS.has(file.slice(file.lastIndexOf('/') + 1)),
  });
}

for (const path of ['node_modules', 'bin', 'dist', 'proto', 'package.json', 'sbom.cdx.json', 'LICENSE'])
  copy(path);
for (const path of ['package.json', 'dist']) copy(join('clients/typescript', path));
removeEmpty(join(to, 'app'));

const commands = join(to, 'usr/local/bin');
mkdirSync(commands, { recursive: true });
symlinkSync('/app/bin/spread-sidecar.mjs', join(commands, 'spread-sidecar'));

function removeEmpty(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}
