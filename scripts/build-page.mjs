// Writes dist/page: the status page of the admin port, bundled from server/page. `npm run setup` runs it.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { PAGE_PACKAGES, root } from './build.mjs';

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
writeFileSync(join(folder, 'licences.txt'), licences(Object.keys(metafile.inputs)));

/** The licences of the packages from which the bundle has code. The list of them is also in the SBOM. */
function licences(inputs) {
  const bundled = new Set(
    inputs.map((input) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]).filter(Boolean),
  );
  const expected = [...PAGE_PACKAGES].sort().join(', ');
  const found = [...bundled].sort().join(', ');
  if (found !== expected)
    throw new Error(`the page contains ${found}, but PAGE_PACKAGES in scripts/build.mjs lists ${expected}`);
  return PAGE_PACKAGES.map((name) => {
    const home = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    const file = readdirSync(home).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${name} has no licence file`);
    return `${name} ${version}: ${license}\n\n${readFileSync(join(home, file), 'utf8').trim()}\n`;
  }).join(`\n${'-'.repeat(78)}\n\n`);
}
