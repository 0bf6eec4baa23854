import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { connect } from 'spread-sidecar-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_MS, moduleEnvironment, sidecarImage } from '../support/containers/image.js';
import { isAvailable, pythonCommand } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { firstProgram } from './readme-programs.js';
import { unbuiltClone } from './unbuilt-clone.js';

const root = new URL('../..', import.meta.url).pathname;

describe.skipIf(!isAvailable('packages') || !isAvailable('python-build'))(
  'the Python packages of an unbuilt clone',
  () => {
    const home = mkdtempSync(join(tmpdir(), 'sps-python-'));
    /** The folder of the installed packages, for PYTHONPATH. */
    const site = join(home, 'site');

    const python = (args: string[], modules: string[], cwd = home) =>
      runCommand(pythonCommand(), args, {
        cwd,
        env: { ...process.env, PYTHONPATH: modules.join(delimiter) },
      });

    beforeAll(async () => {
      const clone = join(home, 'clone');
      unbuiltClone(clone, 'clients');
      for (const folder of ['clients/python', 'clients/testcontainers/python']) {
        // The wheel is built from the source distribution, which shows that the distribution is complete.
        const output = join(home, 'built', folder);
        await python(['-m', 'build', '--outdir', output], [], join(clone, folder));
        const [wheel] = (await runCommand('sh', ['-c', 'ls *.whl'], { cwd: output })).trim().split('\n');
        await python(['-m', 'pip', 'install', '-q', '--no-deps', '--target', site, join(output, wheel!)], []);
      }
    }, 600_000);
    afterAll(() => rmSync(home, { recursive: true, force: true }));

    it('have their modules, types, licence and metadata', async () => {
      const found = await runCommand('find', ['.', '-type', 'f', '-printf', '%P\n'], { cwd: site });
      const files = found.trim().split('\n');
      for (const name of [
        'spread/py.typed',
        'spread_sidecar/py.typed',
        'spread_sidecar_testcontainers/py.typed',
      ])
        expect(files).toContain(name);
      expect(files).toContain('spread_sidecar/gen/spread/sidecar/v1/types_pb2.pyi');
      for (const name of ['spread_sidecar_client', 'spread_sidecar_testcontainers'])
        expect(files).toContainEqual(expect.stringMatching(`^${name}-[^/]+/licenses/LICENSE$`));
    });

    it('run the program of the README unchanged', async () => {
      const { target } = await startSidecar();
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'hello.py'), firstProgram('clients/python/README.md', 'python'));
      expect(await python(['hello.py', target], [site], folder)).toBe(
        '#hello#localhost to greetings: hello, group (type 7)\n',
      );
    });

    it('run the program of the README while an earlier run holds the name', async () => {
      const { target } = await startSidecar();
      await connect({ target, privateName: 'hello' });
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'hello.py'), firstProgram('clients/python/README.md', 'python'));
      expect(await python(['hello.py', target], [site], folder)).toMatch(/^#hello2#localhost to greetings/);
    });

    it.skipIf(!isAvailable('python-testcontainers') || !isAvailable('docker'))(
      'run the first program of the README of the Testcontainers module',
      async () => {
        const image = await sidecarImage();
        const folder = temporaryFolder();
        const program = firstProgram('clients/testcontainers/python/README.md', 'python');
        writeFileSync(join(folder, 'test_greeting.py'), program);
        const env = {
          ...process.env,
          PYTHONPATH: site,
          ...moduleEnvironment(image),
        };
        await runCommand(pythonCommand(), ['-m', 'pytest', '-q', folder], { cwd: folder, env });
      },
      IMAGE_MS + 120_000,
    );

    // The client has a module `spread`, and the generated classes are in `spread.sidecar`.
    it.each(['in a clean environment', 'beside the installed client'])(
      'leave the plain gRPC example working %s',
      async (where) => {
        const { target } = await startSidecar();
        const folder = temporaryFolder();
        cpSync(join(root, 'proto'), join(folder, 'proto'), { recursive: true });
        const example = 'docs/examples/first_multicast.py';
        mkdirSync(join(folder, 'docs/examples'), { recursive: true });
        cpSync(join(root, example), join(folder, example));
        const steps = recipeOf(join(folder, example)).filter((step) => !step.startsWith('pip '));
        expect(steps).toHaveLength(3);
        const installed = where === 'beside the installed client' ? [site] : [];
        const script = steps.join('\n').replaceAll('python ', '"$PYTHON" ').replace('127.0.0.1:4813', target);
        // The recipe sets PYTHONPATH. Python finds an installed package after the folders of PYTHONPATH.
        const startup = join(folder, 'startup');
        mkdirSync(startup);
        writeFileSync(
          join(startup, 'sitecustomize.py'),
          `import sys\nsys.path += ${JSON.stringify(installed)}\n`,
        );
        const printed = await runCommand(
          'sh',
          ['-euc', script.replace('PYTHONPATH=gen', `PYTHONPATH=gen:${startup}`)],
          {
            cwd: folder,
            env: { ...process.env, PYTHON: pythonCommand() },
          },
        );
        expect(printed).toMatch(/^connected as #hello#\S+\n[^\n]+\n#hello#\S+ says: hello, group\n$/);
        if (installed.length > 0)
          await python(['-c', 'import spread; spread.SpreadError'], installed, folder);
      },
      60_000,
    );
  },
);

/** The commands in the docstring of a program. */
function recipeOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^ {4}(\S.*)$/gm)].map(([, command]) => command!).slice(0, 4);
}
