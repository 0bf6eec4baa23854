// `node scripts/prepack.mjs FOLDER...`, as `prepack` of each npm package of the project: compiles what the package ships, the
// projects in FOLDER in this order, without what earlier builds left.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { alone, compileProject, ensureInstalled, root } from './build.mjs';

// Options of `npm pack` itself, which `npm ci` would obey too.
for (const option of ['dry_run', 'workspace', 'workspaces', 'json', 'global', 'location'])
  delete process.env[`npm_config_${option}`];

await ensureInstalled();
await alone(() => {
  for (const folder of process.argv.slice(2)) {
    const output = folder === 'server' ? 'dist' : join(folder, 'dist');
    rmSync(join(root, output), { recursive: true, force: true });
    compileProject(folder);
  }
});
