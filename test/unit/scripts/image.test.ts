import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pinnedImage } from '../../../scripts/pinned-image.mjs';
import { runCommand } from '../../support/run-command.js';
import { temporaryFolder } from '../../support/tmp.js';

const root = new URL('../../..', import.meta.url).pathname;
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');
const official = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile)![1]!;

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;

describe('pinnedImage', () => {
  it.each([
    ['node:24-slim', [`node@${A}`], `node:24-slim@${A}`],
    ['node:24-slim', ['', `docker.io/library/node@${A}`, ''], `node:24-slim@${A}`],
    ['node', [`node@${A}`], `node@${A}`],
    [
      'registry.example:5000/base/node:24',
      [`registry.example:5000/base/node@${A}`],
      `registry.example:5000/base/node:24@${A}`,
    ],
    // The digest of another repository may not exist in this one.
    ['node:24-slim', [`mirror.example/node@${B}`, `node@${A}`], `node:24-slim@${A}`],
    ['node:24-slim', [`mirror.example/node@${B}`], 'node:24-slim'],
    // An image that was imported or built here.
    ['node:24-slim', [''], 'node:24-slim'],
    ['node:24-slim', ['node@sha256:abc'], 'node:24-slim'],
    // Pinned by the caller.
    [`node:24-slim@${B}`, [`node@${A}`], `node:24-slim@${B}`],
  ])('%s with the digests %j is %s', (name, digests, expected) => {
    expect(pinnedImage(name, digests)).toBe(expected);
  });
});

describe('npm run image', () => {
  interface Engine {
    /** Whether the engine already has the base image. */
    readonly has: boolean;
    readonly digests: readonly string[];
    readonly nodeImage?: string;
  }

  /** Runs the script with a `docker` command that records its arguments. */
  async function build({ has, digests, nodeImage }: Engine) {
    const folder = temporaryFolder();
    const log = join(folder, 'calls');
    const state = join(folder, 'pulled');
    if (has) writeFileSync(state, '');
    const docker = join(folder, 'bin', 'docker');
    mkdirSync(join(folder, 'bin'));
    const script = [
      '#!/bin/sh',
      `echo "$*" >> '${log}'`,
      'case "$1 $2" in',
      `  'image inspect') [ -e '${state}' ] || exit 1; [ "$3" != --format ] || printf '${digests.join('\\n')}\\n' ;;`,
      `  'pull --quiet') : > '${state}' ;;`,
      'esac',
    ];
    writeFileSync(docker, `${script.join('\n')}\n`);
    chmodSync(docker, 0o755);
    const { NODE_IMAGE: _, ...env } = process.env;
    await runCommand(process.execPath, [join(root, 'scripts/image.mjs'), '--quiet'], {
      env: {
        ...env,
        HOME: folder,
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        ...(nodeImage === undefined ? {} : { NODE_IMAGE: nodeImage }),
      },
    });
    expect(existsSync(log)).toBe(true);
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    const built = calls.filter((call) => call.startsWith('build '));
    expect(built).toHaveLength(1);
    return { base: /--build-arg NODE_IMAGE=(\S+)/.exec(built[0]!)?.[1], calls };
  }

  it.each([true, false])(
    'pins the base image by the digest of its tag, in the engine before: %s',
    async (has) => {
      const { base, calls } = await build({ has, digests: [`mirror.example/node@${B}`, `node@${A}`] });
      expect(base).toBe(`${official}@${A}`);
      expect(calls.includes(`pull --quiet ${official}`)).toBe(!has);
    },
  );

  it('uses a base image without a digest by its name', async () => {
    expect((await build({ has: true, digests: [] })).base).toBe(official);
  });

  it('uses the base image that NODE_IMAGE names without changes', async () => {
    const nodeImage = `registry.example/node:24@${B}`;
    expect((await build({ has: true, digests: [`node@${A}`], nodeImage })).base).toBe(nodeImage);
  });

  it('builds both stages from the pinned image, and names it in a label', () => {
    const variable = `\${NODE_IMAGE}`;
    const bases = [...dockerfile.matchAll(/^FROM (?:--\S+ )?(\S+)/gm)].map(([, base]) => base);
    expect(bases).toEqual([variable, variable]);
    expect(dockerfile).toContain(`org.opencontainers.image.base.name="${variable}"`);
  });
});
