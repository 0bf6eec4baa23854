// Writes dist/page: the status page of the admin port, bundled from server/page. `npm run setup` runs it.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { PAGE_PACKAGES, root } from './build.mjs';
import { bundledPackages, licencesOf } from './licences.mjs';

const source = join(root, 'server/page');
const folder = join(root, 'dist/page');

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: [join(source, 'src/main.tsx')],
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome116', 'firefox124', 'safari17.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // licences.txt has the complete texts.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
for (const file of ['index.html', 'icon.svg']) cpSync(join(source, file), join(folder, file));
const packages = bundledPackages(Object.keys(metafile.inputs));
const expected = [...PAGE_PACKAGES].sort().map((name) => `node_modules/${name}`);
if (packages.join() !== expected.join())
  throw new Error(
    `the page contains ${packages.join(', ')}, but PAGE_PACKAGES in scripts/build.mjs lists ${PAGE_PACKAGES.join(', ')}`,
  );
// The SBOM also lists these packages.
writeFileSync(join(folder, 'licences.txt'), licencesOf(root, packages));
