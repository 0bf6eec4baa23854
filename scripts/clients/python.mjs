// How `clients/python` is generated, prepared, tested and driven.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const home = join(root, 'clients', 'python');
const gen = join(home, 'src', 'spread_sidecar', 'gen');
/**
 * A fixed version of the generator, so that the output is reproducible. Its output runs with older and newer
 * protobuf.
 */
const GENERATOR = '1.76.0';

const interpreter = (env = process.env) => env.PYTHON || 'python3';

/** Uses the sources of the package without an installation. */
const withSources = (env = process.env) => ({
  ...env,
  PYTHONPATH: [join(home, 'src'), env.PYTHONPATH].filter(Boolean).join(':'),
  PYTHONDONTWRITEBYTECODE: '1',
});

function run(args, cwd = home) {
  return new Promise((resolve, reject) => {
    const child = spawn(interpreter(), args, { cwd, env: withSources(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${interpreter()} ${args.join(' ')} failed:\n${output}`)),
    );
  });
}

/**
 * The generated modules import each other as if `spread` were a top-level package. They also reject protobuf
 * releases that are more than one major release newer than their generator, although they only call stable
 * functions.
 */
function settle(text) {
  return text
    .replace(/^from spread\.sidecar\.v1 import (\w+)/gm, 'from . import $1')
    .replace(/^from google\.protobuf import runtime_version as \w+\n/m, '')
    .replace(/^_runtime_version\.ValidateProtobufRuntimeVersion\([^)]*\)\n/m, '');
}

async function generate() {
  const version = (
    await run(['-c', 'import importlib.metadata as m; print(m.version("grpcio-tools"))'])
  ).trim();
  if (version !== GENERATOR)
    throw new Error(
      `The Python client is generated with grpcio-tools ${GENERATOR}; ${interpreter()} has ${version}. Install grpcio-tools==${GENERATOR}.`,
    );
  rmSync(gen, { recursive: true, force: true });
  mkdirSync(gen, { recursive: true });
  const v1 = ['types', 'event', 'mailbox_service'].map((name) => `spread/sidecar/v1/${name}.proto`);
  const includes = ['proto', 'server/proto'].map((folder) => `-I${join(root, folder)}`);
  const protoc = ['-m', 'grpc_tools.protoc', ...includes, `--python_out=${gen}`, `--pyi_out=${gen}`];
  await run([...protoc, ...v1, 'spread/sidecar/internal/v1/rich_status.proto']);
  await run([...protoc, `--grpc_python_out=${gen}`, v1.at(-1)]);
  for (const entry of readdirSync(gen, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isDirectory()) writeFileSync(join(path, '__init__.py'), '');
    else if (/\.pyi?$/.test(entry.name)) writeFileSync(path, settle(readFileSync(path, 'utf8')));
  }
  writeFileSync(join(gen, '__init__.py'), '"""Generated from proto/; see scripts/clients/python.mjs."""\n');
}

const command = (...args) => ({ command: interpreter(), args, cwd: home, env: withSources() });

export const python = {
  language: 'python',
  title: 'Python',
  enable:
    'Install grpcio, grpcio-tools, pytest and mypy for python3 (3.9 or later), or set PYTHON to a Python that has them.',
  isAvailable: (env = process.env) =>
    spawnSync(interpreter(env), ['-c', 'import grpc, google.protobuf, pytest'], {
      stdio: 'ignore',
      timeout: 20_000,
    }).status === 0,
  generated: ['clients/python/src/spread_sidecar/gen'],
  generate,
  prepare: async () => {
    await run(['-c', 'import spread_sidecar, spread_sidecar.aio']);
  },
  test: () => command('-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'tests'),
  driver: () => command(join('conformance', 'driver.py')),
  /** The same cases over the asyncio API. */
  asyncDriver: () => command(join('conformance', 'driver.py'), '--aio'),
  moduleBench: (args) => command(join('conformance', 'bench_module.py'), ...args),
  example: (name, args) => command(join('examples', `${name}.py`), ...args),
};
