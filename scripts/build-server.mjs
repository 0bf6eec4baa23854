// Writes dist/server/bundle: the compiled server with its packages in a few files, which Node loads in half the
// time. `npm run setup` runs it.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { BUNDLE, root } from './build.mjs';
import { bundledPackages, licencesOf } from './licences.mjs';

rmSync(BUNDLE, { recursive: true, force: true });
mkdirSync(BUNDLE, { recursive: true });
const { metafile } = await build({
  absWorkingDir: root,
  // The paths in tsconfig.json lead to sources. The bundle contains the compiled packages.
  tsconfigRaw: '{}',
  entryPoints: ['dist/server/main.js'],
  // As deep as the folders of the compiled server, for paths relative to import.meta.url.
  outdir: BUNDLE,
  bundle: true,
  // Commands load only the files that they need.
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.20',
  // Packages in CommonJS load modules of Node with require().
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  // Code is not minified: the start takes the same time, and stack traces stay readable.
  legalComments: 'none',
  plugins: [{ name: 'packages loaded on demand', setup: excludePackages }],
  metafile: true,
  logLevel: 'warning',
});
// The last file that the build writes. build.mjs compares its time with the inputs.
writeFileSync(join(BUNDLE, 'licences.txt'), licencesOf(root, bundledPackages(Object.keys(metafile.inputs))));

/**
 * Excludes packages that few processes load. Node finds them in node_modules.
 * - OpenTelemetry: only while tracing is on. prom-client uses a part of it, which the bundle contains.
 * - proto-loader: only for services of grpc-js that the sidecar does not use.
 */
function excludePackages({ onResolve }) {
  onResolve({ filter: /^@opentelemetry\// }, ({ importer }) =>
    importer.includes('node_modules') ? undefined : { external: true },
  );
  onResolve({ filter: /^@grpc\/proto-loader$/ }, () => ({ external: true }));
}
