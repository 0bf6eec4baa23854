// `npm run breaking`: compares the contract with the last release tag, or with main if there is none.
import { spawnSync } from 'node:child_process';
import { ensureBuilt, root } from './build.mjs';

await ensureBuilt();
const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*').stdout.trim();
const reference =
  tag ||
  ['origin/main', 'main'].find(
    (name) => git('rev-parse', '--verify', '--quiet', `${name}^{commit}`).status === 0,
  );
if (!reference || git('cat-file', '-e', `${reference}:proto`).status !== 0) {
  console.log('There is no release and no branch main with a contract to compare with.');
} else {
  const against = tag ? `.git#tag=${tag}` : `.git#ref=${reference}`;
  console.log(`buf breaking against ${reference}`);
  const buf = spawnSync(
    process.execPath,
    ['node_modules/@bufbuild/buf/bin/buf', 'breaking', '--against', against],
    { cwd: root, stdio: 'inherit' },
  );
  process.exitCode = buf.status ?? 1;
}
