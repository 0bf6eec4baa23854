// The Rust client for the conformance suite, the benchmarks and `.ci/run`.
import { spawn, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = join(root, 'clients', 'rust');
const gen = join(home, 'src', 'gen');
/** Cargo's default folder, so that a manual build is reused. */
const output = join(home, 'target');

const environment = { CARGO_TARGET_DIR: output };

function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('cargo', args, {
      cwd: home,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`cargo ${args.join(' ')} failed:\n${text}`)),
    );
  });
}

/** Whether Rust is installed in a version that the crate supports. */
function isAvailable(env = process.env) {
  const asked = spawnSync('cargo', ['--version'], { env, encoding: 'utf8', timeout: 20_000 });
  const [, major, minor] = /^cargo (\d+)\.(\d+)/.exec(asked.stdout ?? '') ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 88);
}

async function generate() {
  rmSync(gen, { recursive: true, force: true });
  await run(['run', '--release', '--locked', '--package', 'spread-sidecar-generator', '--', root, gen]);
}

// One profile for everything, so that dependencies are built once.
const PROFILE = ['--release', '--locked'];

const program = (...path) => join(output, 'release', ...path);

export const rust = {
  language: 'rust',
  title: 'Rust',
  enable: 'Install Rust 1.88 or later.',
  isAvailable,
  generated: ['clients/rust/src/gen'],
  generate,
  prepare: async () => {
    await run([
      'build',
      ...PROFILE,
      '--workspace',
      '--exclude',
      'spread-sidecar-generator',
      '--examples',
      '--bins',
      '--lib',
    ]);
  },
  test: () => ({ command: 'cargo', args: ['test', ...PROFILE], cwd: home, env: environment }),
  driver: () => ({ command: program('spread-sidecar-conformance'), args: [], cwd: home, env: {} }),
  example: (name, args) => ({ command: program('examples', name), args, cwd: home, env: {} }),
};
