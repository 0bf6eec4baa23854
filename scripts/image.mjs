// `npm run image`: builds the image of the sidecar. Arguments are passed to `docker build`.
//
// NODE_IMAGE names another base image. If the default one is not available, and this machine can build a
// substitute, it does.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BASE_IMAGE, ensureBaseImage, obstacle } from './base-image.mjs';
import { root } from './build.mjs';
import { pinnedImage } from './pinned-image.mjs';
import { run } from './run.mjs';

const NAME = process.env.SPREAD_SIDECAR_IMAGE || 'spread-sidecar:test';
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

build(baseImage());

function baseImage() {
  if (process.env.NODE_IMAGE) return process.env.NODE_IMAGE;
  const official = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8'))[1];
  const has = (args) => spawnSync('docker', args, { stdio: 'ignore', timeout: 120_000 }).status === 0;
  if (has(['image', 'inspect', official]) || has(['pull', '--quiet', official])) return pinned(official);
  const why = obstacle();
  if (why)
    throw new Error(`Docker cannot pull ${official}, and this machine cannot build a substitute: ${why}`);
  ensureBaseImage();
  return BASE_IMAGE;
}

/**
 * The image with its digest, so that both stages have the same base and the label names it. An imported image
 * has no digest.
 */
function pinned(name) {
  const args = ['image', 'inspect', '--format', '{{range .RepoDigests}}{{println .}}{{end}}', name];
  return pinnedImage(name, execFileSync('docker', args, { encoding: 'utf8' }).split('\n'));
}

function build(base) {
  const npmrc = join(homedir(), '.npmrc');
  const args = [
    ...['build', '--tag', NAME],
    ...[
      '--build-arg',
      `NODE_IMAGE=${base}`,
      '--build-arg',
      `VERSION=${version}`,
      '--build-arg',
      `REVISION=${revision()}`,
    ],
    ...(existsSync(npmrc) ? ['--secret', `id=npmrc,src=${npmrc}`] : []),
    // The build uses the network of this machine to reach a registry that only its hosts file knows.
    ...(base === BASE_IMAGE ? ['--network', 'host'] : []),
    ...process.argv.slice(2),
    root,
  ];
  run(clientWithBuildKit(), args, { env: { ...process.env, DOCKER_BUILDKIT: '1' } });
  console.error(`built ${NAME} on ${base}`);
}

/**
 * Docker's client supports BuildKit through its plugin buildx or, before release 23, natively. A machine may
 * have both.
 */
function clientWithBuildKit() {
  const clients = [...new Set(process.env.PATH.split(':').map((folder) => join(folder, 'docker')))].filter(
    existsSync,
  );
  const builds = (client) =>
    spawnSync(client, ['buildx', 'version'], { stdio: 'ignore' }).status === 0 ||
    Number(/version (\d+)/.exec(spawnSync(client, ['--version'], { encoding: 'utf8' }).stdout)?.[1]) < 23;
  const client = clients.find(builds);
  if (!client)
    throw new Error(
      `BuildKit is missing: install Docker's plugin buildx (found Docker clients: ${clients.join(', ') || 'none'})`,
    );
  return client;
}

function revision() {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
