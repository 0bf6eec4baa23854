import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSecured } from '../support/sidecars/secured-sidecar.js';
import { temporaryFolder } from '../support/tmp.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const recipes = join(root, 'clients', 'recipes');

/** Follows the recipe of a language in a separate folder, which the recipe calls `gen`. */
function generated(language: string): { folder: string; files: string[] } {
  const folder = temporaryFolder();
  const result = spawnSync(
    process.execPath,
    [join(root, 'node_modules/@bufbuild/buf/bin/buf'), 'generate', '-o', folder],
    {
      cwd: join(recipes, language),
      encoding: 'utf8',
      env: { ...process.env, PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) },
    },
  );
  expect(result.stderr, 'buf generate').toBe('');
  const gen = join(folder, 'gen');
  return { folder, files: readdirSync(gen, { recursive: true }).map((name) => join(gen, String(name))) };
}

async function sidecarTargets(): Promise<readonly string[]> {
  const socket = join(temporaryFolder(), 'grpc.sock');
  return (await startSecured({ GRPC_LISTEN: `127.0.0.1:0,unix:${socket}` })).targets;
}

const GREETING = /^#r\d+-\d+#localhost: hello\n$/;

describe.skipIf(!isAvailable('cpp'))('the recipe for C++', () => {
  it('compiles and multicasts, over TCP and a Unix socket', async () => {
    const { folder, files } = generated('cpp');
    copyFileSync(join(recipes, 'cpp', 'hello.cc'), join(folder, 'hello.cc'));
    const sources = ['hello.cc', ...files.filter((file) => file.endsWith('.cc'))];
    const flags = spawnSync('pkg-config', ['--libs', 'grpc++', 'protobuf'], { encoding: 'utf8' });
    const libraries = flags.stdout.trim().split(/\s+/);
    const program = join(folder, 'hello');
    const compiler = ['-std=c++17', '-Wall', '-Werror', '-Igen', ...sources, '-o', program, ...libraries];
    await runCommand('g++', compiler, { cwd: folder });
    for (const target of await sidecarTargets())
      expect(await runCommand(program, [target], { cwd: folder })).toMatch(GREETING);
  }, 300_000);
});

describe.skipIf(!isAvailable('ruby'))('the recipe for Ruby', () => {
  it('multicasts, over TCP and a Unix socket', async () => {
    const { folder } = generated('ruby');
    const program = join(recipes, 'ruby', 'hello.rb');
    for (const target of await sidecarTargets())
      expect(await runCommand('ruby', ['-I', 'gen', program, target], { cwd: folder })).toMatch(GREETING);
  }, 60_000);
});

describe.skipIf(!isAvailable('php'))('the recipe for PHP', () => {
  it('generates files that PHP can parse', async () => {
    const { folder, files } = generated('php');
    const sources = files.filter((file) => file.endsWith('.php'));
    expect(sources.length).toBeGreaterThan(30);
    for (const file of sources) await runCommand('php', ['-l', file], { cwd: folder });
  }, 60_000);
});
