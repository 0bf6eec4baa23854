// `prepack` of each npm package of the project: compiles all packages, without what earlier builds left.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { alone, buildPage, buildServer, compile, ensureInstalled, root } from './build.mjs';

// Options of `npm pack`, which would also affect `npm ci`.
for (const option of ['dry_run', 'workspace', 'workspaces', 'json', 'global', 'location'])
  delete process.env[`npm_config_${option}`];

const libraries = ['proto', 'clients/typescript', 'clients/testcontainers/node'];

await ensureInstalled();
const { addCommonJs } = await import('./commonjs.mjs');
await alone(() => {
  for (const folder of ['.', ...libraries])
    rmSync(join(root, folder, 'dist'), { recursive: true, force: true });
  compile('server', 'clients/testcontainers/node');
  buildServer();
  buildPage();
  for (const folder of libraries) addCommonJs(join(root, folder, 'dist'));
  linkContract();
});

/** npm bundles a package only from the node_modules of the package that it packs, and npm links workspaces in the root's. */
function linkContract() {
  const modules = join(root, 'clients/typescript/node_modules');
  const link = join(modules, 'spread-sidecar-proto');
  mkdirSync(modules, { recursive: true });
  rmSync(link, { recursive: true, force: true });
  symlinkSync('../../../proto', link, 'junction');
}
