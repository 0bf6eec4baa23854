import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect } from 'spread-sidecar-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { INSTALL, NODE_RELEASES, nodeFolder } from '../support/node-releases.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';
import { Tool } from '../support/tool.js';
import { firstProgram } from './readme-programs.js';
import { unbuiltInstalledClone } from './unbuilt-clone.js';

const root = new URL('../..', import.meta.url).pathname;

/** The packages that a user's project has beside the client. */
const TOOLS = ['jest@30.5.2', '@types/node@20'];

const COMMONJS = `import { AGREED_MESS, connect, type Mailbox, SpreadError } from 'spread-sidecar-client';

async function hello(mailbox: Mailbox): Promise<string> {
  await mailbox.join('greetings', { awaitView: true });
  await mailbox.multicast(AGREED_MESS, 'greetings', 'hello');
  for await (const event of mailbox) if (event.kind === 'regular') return event.text();
  throw new Error('the mailbox ended');
}

async function main(): Promise<void> {
  const mailbox = await connect({ target: '127.0.0.1:4813' });
  console.log(await hello(mailbox));
  await mailbox.disconnect();
}

main().catch((error) => {
  console.log(error instanceof SpreadError, error);
});
`;

const JEST_TEST = `const { connect, SpreadError } = require('spread-sidecar-client');

test('a mailbox opens and rejects an illegal group', async () => {
  const mailbox = await connect({ target: '127.0.0.1:4813' });
  expect(mailbox.privateGroup).toMatch(/^#/);
  await expect(mailbox.join('a b')).rejects.toThrow(SpreadError);
  await mailbox.disconnect();
});
`;

const BOTH = `import { createRequire } from 'node:module';
import { SpreadError } from 'spread-sidecar-client';
console.log(createRequire(import.meta.url)('spread-sidecar-client').SpreadError === SpreadError);
`;

/** Files in a package's tarball without the first folder, which is always `package`. */
async function filesOf(tarball: string): Promise<string[]> {
  const listed = await runCommand('tar', ['-tzf', tarball]);
  return listed
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
}

describe.skipIf(!isAvailable('packages'))('the npm packages of an unbuilt clone', () => {
  const home = mkdtempSync(join(tmpdir(), 'sps-npm-'));
  const clone = join(home, 'clone');
  const tarballs = { sidecar: '', client: '', testcontainers: '' };

  /** A file that an earlier build could have left in a folder that the package contains. */
  const staleFile = (folder: string) => (folder === '.' ? 'dist/server/bundle/stale.js' : 'dist/stale.js');

  async function pack(folder: string): Promise<string> {
    // The output of an earlier build must not get into the package.
    const stale = join(clone, folder, staleFile(folder));
    mkdirSync(dirname(stale), { recursive: true });
    writeFileSync(stale, '');
    const args = ['pack', '--json', '--pack-destination', home];
    const [packed] = JSON.parse(await runCommand('npm', args, { cwd: join(clone, folder) }));
    return join(home, packed.filename);
  }

  beforeAll(async () => {
    unbuiltInstalledClone(clone);
    tarballs.testcontainers = await pack('clients/testcontainers/node');
    tarballs.client = await pack('clients/typescript');
    tarballs.sidecar = await pack('.');
  }, 600_000);
  afterAll(() => rmSync(home, { recursive: true, force: true }), 120_000);

  it('contain all required files and no others', async () => {
    const sidecar = await filesOf(tarballs.sidecar);
    expect(sidecar).toEqual(expect.arrayContaining(['bin/spread-sidecar.mjs', 'LICENSE', 'README.md']));
    const bundle = ['dist/server/bundle/main.js', 'dist/server/bundle/licences.txt'];
    expect(sidecar).toEqual(expect.arrayContaining(bundle));
    const page = ['index.html', 'main.js', 'main.css', 'icon.svg', 'licences.txt'];
    expect(sidecar).toEqual(expect.arrayContaining(page.map((name) => `dist/page/${name}`)));
    for (const tarball of [tarballs.client, tarballs.testcontainers])
      expect(await filesOf(tarball)).toEqual(
        expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'LICENSE', 'README.md', 'package.json']),
      );
    for (const tarball of Object.values(tarballs))
      expect(await filesOf(tarball)).not.toContainEqual(expect.stringMatching(/stale\.js$/));
  });

  it('install the command from one tarball, which serves, sends and receives', async () => {
    const prefix = temporaryFolder();
    await runCommand('npm', [...INSTALL, '--global', '--prefix', prefix, tarballs.sidecar]);
    const command = join(prefix, 'bin', 'spread-sidecar');
    expect(await runCommand(command, ['--version'])).toMatch(/^\d+\.\d+\.\d+/);
    const target = `unix:${join(temporaryFolder(), 'grpc')}`;
    const server = new Tool(command, [
      ...['serve', '--grpc-listen', target, '--admin-listen', 'off'],
      ...['--embedded-daemon', '--embedded-listen', '127.0.0.1:0', '--embedded-socket', 'off'],
    ]);
    await server.prints(target, 30_000);
    const receiver = new Tool(command, ['receive', '--target', target, '--count', '1', 'room']);
    await receiver.prints('room', 30_000);
    await runCommand(command, ['send', '--target', target, 'room', '--message', 'hello']);
    await receiver.prints('hello', 30_000);
    expect(await receiver.exits()).toBe(0);
  }, 240_000);

  describe('provide the client to another project', () => {
    /** An empty project with the client and the tools of its tests. */
    const project = join(home, 'project');
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

    beforeAll(async () => {
      mkdirSync(project);
      writeFileSync(join(project, 'package.json'), '{ "private": true }');
      await runCommand('npm', [...INSTALL, tarballs.client, ...TOOLS], { cwd: project });
    }, 600_000);

    /** Writes a program into the project, and sets its target. */
    function write(name: string, program: string, target: string): void {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), program.replaceAll('127.0.0.1:4813', target));
    }

    it.each(['README.md', 'clients/typescript/README.md'])(
      'that runs the first program of %s, also while an earlier run holds the name',
      async (page) => {
        const { target } = await startSidecar();
        const program = firstProgram(page, 'ts');
        // The program of the client's own page has the default target.
        write(
          'hello.mjs',
          program.replace('connect({ privateName', `connect({ target: '${target}', privateName`),
          target,
        );
        const [name] = /(?<=privateName: ')\w+/.exec(program) ?? [];
        await connect({ target, privateName: name });
        expect(await runCommand(process.execPath, ['hello.mjs'], { cwd: project })).toContain(
          `#${name}2#localhost`,
        );
      },
    );

    it.each([
      ['node10', { module: 'commonjs', moduleResolution: 'node10' }],
      ['node16', { module: 'node16', moduleResolution: 'node16' }],
      ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
    ])(
      'that compiles TypeScript to CommonJS with %s',
      async (name, options) => {
        const { target } = await startSidecar();
        write(`${name}/hello.ts`, COMMONJS, target);
        const compilerOptions = { ...options, target: 'es2022', strict: true, types: ['node'] };
        writeFileSync(join(project, name, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
        await runCommand(process.execPath, [tsc, '-p', join(project, name)]);
        expect(await runCommand(process.execPath, [join(project, name, 'hello.js')])).toBe('hello\n');
      },
      60_000,
    );

    it('that tests with the defaults of Jest', async () => {
      const { target } = await startSidecar();
      write('greeting.test.js', JEST_TEST, target);
      await runCommand(join(project, 'node_modules', '.bin', 'jest'), ['greeting'], { cwd: project });
    }, 240_000);

    it('that loads one copy of the client with import and require', async () => {
      write('both.mjs', BOTH, '');
      expect(await runCommand(process.execPath, ['both.mjs'], { cwd: project })).toBe('true\n');
    });
  });

  describe.skipIf(!isAvailable('docker'))('give the Testcontainers module to a project', () => {
    let image: string;
    beforeAll(async () => {
      image = await sidecarImage();
    }, IMAGE_MS);

    it.each(NODE_RELEASES)(
      'that runs the first program of its README with Node %s',
      async (version) => {
        const PATH = `${await nodeFolder(version)}:${process.env.PATH}`;
        const project = temporaryFolder();
        writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }');
        const options = { cwd: project, timeoutMs: 500_000, env: { ...process.env, PATH } };
        const packages = [tarballs.client, tarballs.testcontainers, 'vitest@4.1.12'];
        await runCommand('npm', [...INSTALL, ...packages], options);
        expect(await runCommand('node', ['--version'], options)).toBe(`v${version}\n`);
        const program = firstProgram('clients/testcontainers/node/README.md', 'typescript');
        writeFileSync(join(project, 'greeting.test.ts'), program);
        const env = { ...options.env, SPREAD_SIDECAR_IMAGE: image, TESTCONTAINERS_RYUK_DISABLED: 'true' };
        await runCommand(join(project, 'node_modules/.bin/vitest'), ['run'], { ...options, env });
      },
      600_000,
    );
  });
});
