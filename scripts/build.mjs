// What a clone needs before it can run: packages installed, TypeScript compiled. Uses Node's own modules only, because it runs first.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => join(root, ...parts);

/** The folder of the bundled server, which the command starts. */
export const BUNDLE = inRoot('dist', 'server', 'bundle');
/** The last file that the build of the bundle writes. */
const BUNDLE_BUILT = join(BUNDLE, 'licences.txt');

/** The packages from which the status page has code. They are development dependencies, because the bundle contains them. */
export const PAGE_PACKAGES = ['preact', 'uplot'];

function run(what, command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    process.stderr.write(`${what} failed: ${command} ${args.join(' ')} (exit ${result.status})\n`);
    process.exit(result.status ?? 1);
  }
}

/**
 * Runs `work` while no other process does. Two terminals, or two test files, may start at once: the second waits for the first.
 *
 * @param lock - a folder that exists while a process works; its parent folder must exist
 */
export async function alone(work, lock = inRoot('.setup-lock')) {
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!ownerAlive(lock)) rmSync(lock, { recursive: true, force: true });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  try {
    writeFileSync(join(lock, 'pid'), String(process.pid));
    return await work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

function ownerAlive(lock) {
  try {
    process.kill(Number(readFileSync(join(lock, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    // The file may not be written yet: give its owner a few seconds.
    return error.code === 'ENOENT' && existsSync(lock) && Date.now() - statSync(lock).mtimeMs < 5000;
  }
}

function installIfMissing() {
  const installed = inRoot('node_modules', '.package-lock.json');
  if (
    existsSync(installed) &&
    existsSync(inRoot('node_modules', 'spread-sidecar-proto')) &&
    statSync(installed).mtimeMs >= statSync(inRoot('package-lock.json')).mtimeMs
  )
    return;
  process.stderr.write('installing packages …\n');
  run('installing packages', 'npm', ['ci', '--no-audit', '--no-fund']);
}

/** Compiles what changed in these projects and in the projects that they refer to. Run it in `alone`. */
export function compile(...projects) {
  const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  run('compiling', process.execPath, [tsc, '-b', ...projects.map((project) => inRoot(project))]);
}

/** Bundles the status page if it is missing or older than its sources. Run it in `alone`. */
export function buildPage() {
  const source = inRoot('server', 'page');
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  // The last file that the build writes.
  const built = inRoot('dist', 'page', 'licences.txt');
  const changedMs = [...files, inRoot('package-lock.json'), inRoot('scripts', 'build-page.mjs')].map(
    (file) => statSync(file).mtimeMs,
  );
  if (existsSync(built) && statSync(built).mtimeMs > Math.max(...changedMs)) return;
  run('building the status page', process.execPath, [inRoot('scripts', 'build-page.mjs')]);
}

/**
 * Whether the bundle is newer than all of its inputs. `tsc -b` writes a file .tsbuildinfo whenever it compiles a
 * project.
 */
function isBundleCurrent() {
  const inputs = [
    inRoot('dist', '.tsbuildinfo'),
    inRoot('proto', 'dist', '.tsbuildinfo'),
    inRoot('clients', 'typescript', 'dist', '.tsbuildinfo'),
    inRoot('package-lock.json'),
    inRoot('scripts', 'build-server.mjs'),
    inRoot('scripts', 'licences.mjs'),
  ];
  if (![BUNDLE_BUILT, ...inputs].every((file) => existsSync(file))) return false;
  return statSync(BUNDLE_BUILT).mtimeMs > Math.max(...inputs.map((file) => statSync(file).mtimeMs));
}

/** Bundles the compiled server if the bundle is missing or older than its inputs. Run it in `alone`. */
export function buildServer() {
  if (isBundleCurrent()) return;
  run('bundling the server', process.execPath, [inRoot('scripts', 'build-server.mjs')]);
}

/** Installs the packages when they are missing or older than the lock file. */
export const ensureInstalled = () => alone(installIfMissing);

/** Installs and compiles what is missing or older than its source. */
export const ensureBuilt = () =>
  alone(() => {
    installIfMissing();
    if (!isBuilt()) process.stderr.write('compiling …\n');
    compile('server');
    buildServer();
    buildPage();
  });

const isBuilt = () => isBundleCurrent() && existsSync(inRoot('dist', 'page', 'licences.txt'));

/**
 * Installs, compiles and bundles a clone in which one of these steps is missing. It does not look for changed sources, which
 * takes longer.
 */
export async function ensureRunnable() {
  if (!isBuilt()) await ensureBuilt();
}
