import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { runCommand } from '../support/run-command.js';
import { until } from '../support/until.js';

const root = join(import.meta.dirname, '..', '..');
const { sidecar, config } = parse(
  readFileSync(join(root, 'deploy', 'helm', 'spread-sidecar', 'values.yaml'), 'utf8'),
);
const docker = (...args: string[]) => runCommand('docker', args);

let image: string;
beforeAll(async () => {
  if (isAvailable('docker')) image = await sidecarImage();
}, IMAGE_MS);

it.skipIf(!isAvailable('docker'))(
  'attacks on the admin port do not end a container with the resources and the configuration of the chart',
  { timeout: 300_000 },
  async () => {
    const memory = `${Number.parseInt(sidecar.resources.limits.memory, 10)}m`;
    const id = (
      await docker(
        ...[
          'run',
          '--detach',
          '--memory',
          memory,
          '--memory-swap',
          memory,
          '--read-only',
          '--cap-drop',
          'ALL',
        ],
        ...['--tmpfs', `/run/spread-sidecar:uid=${sidecar.runAsUser},gid=${sidecar.fsGroup}`],
        ...[
          image,
          'serve',
          '--embedded-daemon',
          '--embedded-socket',
          'off',
          '--admin-listen',
          config.admin.listen,
        ],
        ...config.grpc.listen.flatMap((address: string) => ['--grpc-listen', address]),
      )
    ).trim();
    onTestFinished(() => docker('rm', '--force', id).then(() => undefined));
    const inspect = async (format: string) => (await docker('inspect', '--format', format, id)).trim();
    const host = await inspect('{{.NetworkSettings.IPAddress}}');
    await until(
      () =>
        fetch(`http://${host}:4814/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      {
        timeoutMs: 30_000,
        what: 'the container is ready',
      },
    );
    const attack = spawn(process.execPath, ['scripts/program.mjs', 'attack', '--at', `${host}:4814`], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    attack.stdout.on('data', (text) => {
      output += text;
    });
    const code = await new Promise((resolve) => attack.once('close', resolve));
    process.stdout.write(output);
    expect(output).toContain('admin-pipelining: connections');
    expect(output).toContain('all bounds held');
    expect(code).toBe(0);
    expect(await inspect('{{.State.Status}} {{.RestartCount}} {{.State.OOMKilled}}')).toBe('running 0 false');
  },
);
