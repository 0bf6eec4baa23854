import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { pageSnippets, type Snippet } from '../support/docs/page-snippets.js';
import { composeCommand, isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

const root = new URL('../..', import.meta.url).pathname;
const TEST_MS = 120_000;
/** The name of the image in all pages. */
const IMAGE = 'spread-sidecar:test';
/** The volume in the pages. */
const VOLUME = 'sidecar-socket';
const SOCKET = 'unix:/run/spread-sidecar/grpc.sock';

const docker = (...args: string[]) => runCommand('docker', args);

/**
 * A folder for PATH with a `docker` command that labels the containers of `docker run`, so that a test can find
 * and remove them.
 */
async function labellingDocker(label: string): Promise<string> {
  const folder = temporaryFolder();
  const real = (await runCommand('sh', ['-c', 'command -v docker'])).trim();
  const script = `#!/bin/sh\nif [ "$1" = run ]; then shift; exec ${real} run --label ${label} "$@"; fi\nexec ${real} "$@"\n`;
  writeFileSync(join(folder, 'docker'), script);
  chmodSync(join(folder, 'docker'), 0o755);
  return folder;
}

/** Runs an unchanged snippet. Resolves to the ID of the container that the snippet starts. */
async function start({ text }: Snippet) {
  const label = `spread-sidecar.snippet=${randomBytes(6).toString('hex')}`;
  const path = `${await labellingDocker(label)}:${process.env.PATH}`;
  // Gives the tested image the name that the pages use.
  const env = { ...process.env, PATH: path, SPREAD_SIDECAR_IMAGE: IMAGE };
  const shell = spawn('sh', ['-euc', text], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream.on('data', (piece) => {
      printed += piece;
    });
  const exited = new Promise<number | null>((resolve) => shell.once('close', resolve));
  const containers = async () => (await docker('ps', '-aq', '--filter', `label=${label}`)).trim();
  onTestFinished(async () => {
    shell.kill('SIGKILL');
    const left = await containers();
    if (left !== '') await docker('rm', '--force', ...left.split('\n'));
  });
  const container = await until(
    async () => {
      const id = await containers();
      if (id === '' && shell.exitCode !== null && shell.exitCode !== 0) throw new Error(printed);
      return id;
    },
    { what: 'the container of the snippet', timeoutMs: 60_000 },
  );
  return { container, exited, printed: () => printed };
}

interface State {
  readonly Running: boolean;
  readonly ExitCode: number;
  readonly Health: { readonly Status: string; readonly Log: { readonly ExitCode: number }[] | null };
}
const stateOf = async (container: string): Promise<State> =>
  JSON.parse(await docker('inspect', '--format', '{{json .State}}', container));

/** Waits for the first result of a container's health check, and returns its exit code. */
async function healthResult(container: string): Promise<number> {
  const { code } = await until(
    async () => {
      const { Running, ExitCode, Health } = await stateOf(container);
      if (!Running) throw new Error(`ended with ${ExitCode}:\n${await docker('logs', container)}`);
      const [first] = Health.Log ?? [];
      return first && { code: first.ExitCode };
    },
    { what: 'a result of the health check', timeoutMs: 40_000 },
  );
  return code;
}

/** An empty volume with the name that the pages use. Docker treats it like one that does not exist yet. */
async function newVolume(): Promise<void> {
  const label = 'spread-sidecar.snippet';
  const ours = await docker(
    'volume',
    'ls',
    '-q',
    '--filter',
    `name=^${VOLUME}$`,
    '--filter',
    `label=${label}`,
  );
  if (ours.trim() !== '') await docker('volume', 'rm', VOLUME);
  const others = await docker('volume', 'ls', '-q', '--filter', `name=^${VOLUME}$`);
  if (others.trim() !== '') throw new Error(`this engine has a volume ${VOLUME} already: remove it first`);
  await docker('volume', 'create', '--label', label, VOLUME);
  // Runs after the test's container was removed.
  onTestFinished(async () => {
    await docker('volume', 'rm', '--force', VOLUME);
  });
}

const runs = pageSnippets().filter(({ language, text }) => language === 'sh' && /^docker run /m.test(text));
const snippetWith = (part: string): Snippet => {
  const found = runs.filter(({ text }) => text.includes(part));
  if (found.length !== 1) throw new Error(`${found.length} snippets have ${part}`);
  return found[0]!;
};

describe.skipIf(!isAvailable('docker'))('the snippets of the pages', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    const image = await sidecarImage();
    if (image !== IMAGE) await docker('tag', image, IMAGE);
  }, IMAGE_MS);

  it('are all tested in this file', () => {
    const tested = ['npm run image', VOLUME, '--health-cmd'].map(snippetWith);
    expect(new Set(tested)).toEqual(new Set(runs));
  });

  it('start the sidecar with its daemon in one container', async () => {
    const { container, exited, printed } = await start(snippetWith('npm run image'));
    await until(() => printed().includes('is ready'), { what: 'the welcome', timeoutMs: 60_000 });
    await docker('exec', container, 'spread-sidecar', 'send', 'cats', '-m', 'hello');
    expect((await fetch('http://127.0.0.1:4814/readyz')).status).toBe(200);
    await docker('stop', '--time', '15', container);
    expect(await within(exited, 'the end of docker run', 20_000)).toBe(0);
  });

  it('start a sidecar with its socket in a new volume, healthy without a daemon', async () => {
    await newVolume();
    const { container } = await start(snippetWith(VOLUME));
    expect(await healthResult(container)).toBe(0);
    const asMember = ['run', '--rm', '--network', 'none', '-v', `${VOLUME}:/run/spread-sidecar`];
    const ask = [IMAGE, 'healthcheck', '--target', SOCKET];
    expect(await docker(...asMember, '--user', '10001:2000', ...ask)).toContain('is not connected');
    await expect(docker(...asMember, '--user', '10001:10001', ...ask)).rejects.toThrow('EACCES');
    await docker('stop', '--time', '15', container);
    expect((await stateOf(container)).ExitCode).toBe(0);
  });

  it('start a sidecar whose health includes the daemon', async () => {
    const { container } = await start(snippetWith('--health-cmd'));
    expect(await healthResult(container)).toBe(1);
  });
});

describe.skipIf(!isAvailable('docker') || !isAvailable('compose'))(
  'the Compose snippets of the pages',
  { timeout: TEST_MS },
  () => {
    beforeAll(async () => {
      const image = await sidecarImage();
      if (image !== IMAGE) await docker('tag', image, IMAGE);
    }, IMAGE_MS);

    const files = pageSnippets().filter(({ text }) => text.startsWith('# compose.yaml\n'));
    it.each(files)('of $page deliver a message through the shared socket', async ({ text }) => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'compose.yaml'), text);
      const [command, ...first] = composeCommand()!;
      const project = ['-p', `sps-${randomBytes(6).toString('hex')}`];
      const compose = (...args: string[]) =>
        runCommand(command!, [...first, ...project, ...args], { cwd: folder });
      onTestFinished(async () => {
        await compose('down', '--volumes', '--timeout', '5');
      });
      await compose('up', '-d');
      await until(async () => (await compose('logs', 'app')).includes('receiving as #'), {
        what: 'the application joins its group',
        timeoutMs: 60_000,
      });
      await compose('exec', '-T', 'sidecar', 'spread-sidecar', 'send', 'demo', '-m', 'hello, compose');
      await until(async () => (await compose('logs', 'app')).includes('hello, compose'), {
        what: 'the message reaches the application',
        timeoutMs: 20_000,
      });
    });

    it('exist', () => expect(files).toHaveLength(1));
  },
);
