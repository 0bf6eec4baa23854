import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
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

describe.skipIf(!isAvailable('cpp'))('the recipe for C#', () => {
  it('uses names of the generated code', async () => {
    const project = readFileSync(join(recipes, 'csharp', 'Hello.csproj'), 'utf8');
    const [, include, protoRoot] = /<Protobuf Include="([^"]+)" ProtoRoot="([^"]+)"/.exec(project)!;
    const folder = temporaryFolder();
    const protoFolder = join(recipes, 'csharp', protoRoot!);
    const files = readdirSync(join(recipes, 'csharp', include!.replace('*.proto', '')))
      .filter((name) => name.endsWith('.proto'))
      .map((name) => join(protoFolder, 'spread/sidecar/v1', name));
    await runCommand('protoc', [`-I${protoFolder}`, `--csharp_out=${folder}`, ...files]);
    const generatedCode = readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('\n');
    const program = readFileSync(join(recipes, 'csharp', 'Program.cs'), 'utf8');
    expect(generatedCode).toContain('namespace Spread.Sidecar.V1 {');
    const messages = [...program.matchAll(/new ([A-Z]\w+(?:Request|Message))\b/g)].map(([, name]) => name!);
    expect(new Set(messages).size).toBe(6);
    for (const name of messages) expect(generatedCode).toContain(`public sealed partial class ${name} `);
    const fields = [...program.matchAll(/\b([A-Z]\w+) = |\.(Batch|Events|RegularMessage|Sender|Payload)\b/g)];
    expect(fields.length).toBeGreaterThan(10);
    for (const [, assigned, read] of fields)
      expect(generatedCode).toMatch(new RegExp(`public \\S+ ${assigned ?? read} \\{`));
    expect(generatedCode).toMatch(/\bAgreed = \d/);
  }, 60_000);
});
