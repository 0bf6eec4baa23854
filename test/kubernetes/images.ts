import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Binaries } from './binaries.js';
import { type KubernetesNode, PAUSE_IMAGE } from './node.js';

export const SIDECAR_IMAGE = process.env.SPREAD_SIDECAR_IMAGE || 'spread-sidecar:test';
export const SPREAD_IMAGE = 'spread-daemon:test';

/** The example of docs/rolling-updates.md. */
export const ORDERS_FOLDER = join(process.cwd(), 'docs', 'examples', 'rolling-update');

function buildFolder(name: string, folder: string, ...args: string[]): void {
  execFileSync('docker', ['build', '--quiet', '--tag', name, ...args, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // The classic builder, which every Docker client has.
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
  });
}

function build(name: string, dockerfile: string, files: Record<string, string>): void {
  const folder = mkdtempSync(join(tmpdir(), 'spk-image-'));
  try {
    for (const [to, from] of Object.entries(files)) {
      copyFileSync(from, join(folder, to));
      chmodSync(join(folder, to), 0o755);
    }
    writeFileSync(join(folder, 'Dockerfile'), dockerfile);
    buildFolder(name, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Loads all images into the node. The image of the sidecar must exist; the others are built here. */
export function importImages(node: KubernetesNode, binaries: Binaries): void {
  build(PAUSE_IMAGE, 'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n', {
    pause: join(binaries.pause, 'pause'),
  });
  const images = [PAUSE_IMAGE, SIDECAR_IMAGE];
  if (process.env.SPREAD_HOME) {
    // The daemon of SPREAD_HOME, on the base image of the sidecar, which has the C library.
    build(SPREAD_IMAGE, `FROM ${SIDECAR_IMAGE}\nCOPY spread /usr/local/bin/spread\n`, {
      spread: join(process.env.SPREAD_HOME, 'sbin', 'spread'),
    });
    images.push(SPREAD_IMAGE);
  }
  for (const image of images) node.importImage(image);
}

/** Builds the image that the example's Deployments name, and loads it into the node. */
export function importOrders(node: KubernetesNode): void {
  const name = 'registry.example/orders:1';
  buildFolder(name, ORDERS_FOLDER, '--build-arg', `SIDECAR_IMAGE=${SIDECAR_IMAGE}`);
  node.importImage(name);
}
