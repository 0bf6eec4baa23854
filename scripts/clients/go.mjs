// The Go client for the conformance suite, the benchmarks and `.ci/run`.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { alone, root } from '../build.mjs';

const home = join(root, 'clients', 'go');
/** The folder of built programs, which is not committed. */
const output = join(root, 'node_modules', '.cache', 'spread-sidecar-go');
const toolchain = 'go';
const examples = ['hello', 'chat', 'membership', 'workers'];

/** Fixed versions of the generators, so that the output is reproducible. */
const GENERATORS = {
  'protoc-gen-go': 'google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.11',
  'protoc-gen-go-grpc': 'google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2',
};

function run(command, args, { cwd = home, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(text) : reject(new Error(`${command} ${args.join(' ')} failed:\n${text}`)),
    );
  });
}

/** The .proto files have no options for Go: the generators get the package names. */
function template(bin) {
  const gen = `${modulePath()}/gen`;
  const files = ['types', 'event', 'mailbox_service'].map((name) => `spread/sidecar/v1/${name}.proto`);
  const opt = [`module=${gen}`, ...files.map((file) => `M${file}=${gen}/spreadsidecarv1;spreadsidecarv1`)];
  const out = join(home, 'gen');
  const plugins = Object.keys(GENERATORS).map((name) => ({ local: join(bin, name), out, opt }));
  return { version: 'v2', clean: true, inputs: [{ directory: join(root, 'proto') }], plugins };
}

const modulePath = () => /^module (\S+)$/m.exec(readFileSync(join(home, 'go.mod'), 'utf8'))[1];

async function generate() {
  const bin = join(output, 'generators');
  mkdirSync(bin, { recursive: true });
  for (const generator of Object.values(GENERATORS))
    await run(toolchain, ['install', generator], { env: { GOBIN: bin, GOFLAGS: '' } });
  const folder = mkdtempSync(join(tmpdir(), 'spread-sidecar-go-'));
  try {
    const file = join(folder, 'buf.gen.json');
    writeFileSync(file, JSON.stringify(template(bin)));
    const buf = join(root, 'node_modules', '@bufbuild', 'buf', 'bin', 'buf');
    await run(process.execPath, [buf, 'generate', '--template', file], { cwd: root });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The toolchain builds only what has changed. */
async function prepare() {
  mkdirSync(output, { recursive: true });
  await alone(build, join(output, '.lock'));
}

async function build() {
  const programs = ['./internal/conformance', ...examples.map((name) => `./examples/${name}`)];
  await run(toolchain, ['build', '-o', `${output}/`, ...programs]);
  await run(toolchain, ['vet', './...']);
  // A module of its own, with the dependency on OpenTelemetry.
  const tracing = { cwd: join(home, 'examples', 'tracing') };
  await run(toolchain, ['build', '-o', `${output}/`, '.'], tracing);
}

/** Whether Go is installed in a version that the module supports. */
function isAvailable(env = process.env) {
  const asked = spawnSync(toolchain, ['env', 'GOVERSION'], { env, encoding: 'utf8', timeout: 20_000 });
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(asked.stdout ?? '') ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 24);
}

const program = (name, args = []) => ({ command: join(output, name), args, cwd: home, env: {} });

export const go = {
  language: 'go',
  title: 'Go',
  enable: 'Install Go 1.24 or later.',
  isAvailable,
  generated: ['clients/go/gen'],
  generate,
  prepare,
  test: () => ({ command: toolchain, args: ['test', '-race', '-count=1', './...'], cwd: home, env: {} }),
  driver: () => program('conformance'),
  example: (name, args) => program(name, args),
};
