import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { IMAGE_MS, moduleEnvironment, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { firstProgram } from './readme-programs.js';
import { unbuiltClone } from './unbuilt-clone.js';

const CONTAINER_MODULE = 'github.com/spread-sidecar/spread-sidecar/clients/testcontainers/go';
const MODULE = 'github.com/spread-sidecar/spread-sidecar/clients/go';

describe.skipIf(!isAvailable('packages') || !isAvailable('go'))('the Go module of an unbuilt clone', () => {
  it('runs the program of the README in an empty module, also while an earlier run holds the name', async () => {
    const clone = temporaryFolder();
    unbuiltClone(clone, 'clients/go');
    const project = join(temporaryFolder(), 'hello');
    mkdirSync(project);
    writeFileSync(join(project, 'main.go'), firstProgram('clients/go/README.md', 'go'));
    const go = (...args: string[]) =>
      runCommand('go', args, {
        cwd: project,
        env: { ...process.env, GOFLAGS: '-mod=mod' },
        timeoutMs: 500_000,
      });
    await go('mod', 'init', 'example.com/hello');
    await go('mod', 'edit', `-replace=${MODULE}=${join(clone, 'clients/go')}`, `-require=${MODULE}@v0.1.0`);
    await go('mod', 'tidy');

    const { target } = await startSidecar();
    await connect({ target, privateName: 'hello' });
    expect(await go('run', '.', target)).toBe('#hello2#localhost to greetings: hello, group (type 7)\n');
  }, 600_000);

  it(
    'runs the first program of the README of the Testcontainers module in an empty module',
    async () => {
      const clone = temporaryFolder();
      unbuiltClone(clone, 'clients');
      const project = join(temporaryFolder(), 'greeting');
      mkdirSync(project);
      const program = firstProgram('clients/testcontainers/go/README.md', 'go');
      writeFileSync(join(project, 'greeting_test.go'), program);
      const go = async (...args: string[]) =>
        runCommand('go', args, {
          cwd: project,
          env: {
            ...process.env,
            GOFLAGS: '-mod=mod',
            ...(isAvailable('docker') && moduleEnvironment(await sidecarImage())),
          },
          timeoutMs: 500_000,
        });
      await go('mod', 'init', 'example.com/greeting');
      for (const [module, folder] of [
        [MODULE, 'clients/go'],
        [CONTAINER_MODULE, 'clients/testcontainers/go'],
      ])
        await go('mod', 'edit', `-replace=${module}=${join(clone, folder!)}`, `-require=${module}@v0.1.0`);
      await go('mod', 'tidy');
      await go('vet', './...');
      if (isAvailable('docker')) expect(await go('test', './...')).toMatch(/^ok/);
    },
    IMAGE_MS + 600_000,
  );
});
