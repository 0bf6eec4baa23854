import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';

const run = promisify(execFile);
const root = new URL('../..', import.meta.url).pathname;
const OUTPUT = /connected as #hello#\S+\nmembers of greetings: #hello#\S+\n#hello#\S+ says: hello, group\n/;

describe('the contract without a client library of this project', () => {
  it('carries a first multicast in Node with @grpc/proto-loader', async () => {
    const { target } = await startSidecar();
    const { stdout } = await run(process.execPath, [
      join(root, 'docs/examples/first-multicast-plain.mjs'),
      target,
    ]);
    expect(stdout).toMatch(OUTPUT);
  });

  it.skipIf(!isAvailable('python'))('carries a first multicast in Python with grpcio', async () => {
    const { target } = await startSidecar();
    const out = temporaryFolder();
    const protos = ['types', 'event', 'mailbox_service'].map((name) => `spread/sidecar/v1/${name}.proto`);
    const protoc = [
      '-m',
      'grpc_tools.protoc',
      '-I',
      join(root, 'proto'),
      `--python_out=${out}`,
      `--grpc_python_out=${out}`,
    ];
    await run(pythonCommand(), [...protoc, ...protos]);
    const example = join(root, 'docs/examples/first_multicast.py');
    const { stdout } = await run(pythonCommand(), [example, target], {
      env: { ...process.env, PYTHONPATH: out },
    });
    expect(stdout).toMatch(OUTPUT);
  });
});
