// What a clone needs before it can run: packages installed, TypeScript compiled. Everything here is
// idempotent and cheap when there is nothing to do. Uses Node's own modules only, because it runs first.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...parts) => join(root, ...parts);
const stamp = inRoot('dist', '.built');
const sources = [
  'server/src',
  'server/tsconfig.json',
  'clients/typescript/src',
  'clients/typescript/tsconfig.json',
  'tsconfig.base.json',
];

/** Newest modification time below `path`, in ms; 0 if it is not there. */
function newest(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let time = stat.mtimeMs;
  for (const entry of readdirSync(path)) time = Math.max(time, newest(join(path, entry)));
  return time;
}

function run(what, command, args) {
  process.stderr.write(`${what} …\n`);
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
 * Two terminals, or two test files, may start at once: the second waits for the first one's installation or build.
 *
 * @param lock - a folder that is there while somebody works; where it is to be made has to be there
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

const dependenciesMissing = () => {
  const installed = inRoot('node_modules', '.package-lock.json');
  return (
    !existsSync(installed) || statSync(installed).mtimeMs < statSync(inRoot('package-lock.json')).mtimeMs
  );
};
const buildMissing = () => {
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  return sources.some((source) => newest(inRoot(source)) > built);
};

/** @param folder a project of the TypeScript compiler, from the root */
export function compileProject(folder) {
  const tsc = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  run(`compiling ${folder}`, process.execPath, [tsc, '-p', inRoot(folder)]);
  if (folder !== 'server')
    run(`adding CommonJS to ${folder}`, process.execPath, [inRoot('scripts', 'commonjs.mjs'), folder]);
}

function compile() {
  const started = Date.now();
  compileProject('clients/typescript');
  compileProject('server');
  writeFileSync(stamp, '');
  // A source that was saved while the compiler ran must count as newer than the build.
  utimesSync(stamp, started / 1000, started / 1000);
}

const installPackages = () => run('installing packages', 'npm', ['ci', '--no-audit', '--no-fund']);

/** Installs the packages when they are missing or older than the lock file. */
export async function ensureInstalled() {
  if (dependenciesMissing()) await alone(() => dependenciesMissing() && installPackages());
}

/** Installs and compiles what is missing or older than its source. A published package has no sources: nothing to do. */
export async function ensureBuilt() {
  if (!existsSync(inRoot('server', 'src'))) return;
  if (!dependenciesMissing() && !buildMissing()) return;
  await alone(() => {
    if (dependenciesMissing()) installPackages();
    if (buildMissing()) compile();
  });
}
