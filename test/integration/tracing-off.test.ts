import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, SidecarProcess } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';

/** Runs before the program: at its end, writes the files of all loaded CommonJS modules. */
const LISTING = `
import { writeFileSync } from 'node:fs';
import Module from 'node:module';
process.on('exit', () => writeFileSync(process.env.LOADED_MODULES, Object.keys(Module._cache).join('\\n')));
`;

/** The packages of OpenTelemetry that a sidecar has loaded until its end. */
async function loadedPackages(...args: string[]): Promise<string[]> {
  const file = join(temporaryFolder(), 'modules');
  const admin = await freePort();
  const sidecar = new SidecarProcess(
    ['--embedded-daemon', '--embedded-listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0'].concat(
      ['--admin-listen', `127.0.0.1:${admin}`],
      args,
    ),
    {
      LOADED_MODULES: file,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(LISTING)}`,
    },
  );
  await sidecar.ready(admin);
  // The metrics page loads everything that a running sidecar needs.
  await fetch(`http://127.0.0.1:${admin}/metrics`);
  sidecar.kill('SIGTERM');
  expect((await sidecar.exited).code, sidecar.stderr).toBe(0);
  const loaded = readFileSync(file, 'utf8').matchAll(/node_modules\/(@opentelemetry\/[^/]+)/g);
  return [...new Set(Array.from(loaded, ([, name]) => name ?? ''))].sort();
}

it('a sidecar without tracing loads no package of OpenTelemetry', { timeout: 30_000 }, async () => {
  // The interface that prom-client uses is in the bundle. It contains no implementation.
  expect(await loadedPackages()).toEqual([]);
});

it.each([
  ['otlp-grpc', '@opentelemetry/exporter-trace-otlp-grpc'],
  ['otlp-http', '@opentelemetry/exporter-trace-otlp-proto'],
])('a sidecar with the exporter %s loads only this exporter', { timeout: 30_000 }, async (exporter, name) => {
  const loaded = await loadedPackages('--tracing-exporter', exporter);
  expect(loaded).toContain('@opentelemetry/sdk-trace');
  expect(loaded.filter((one) => one.includes('/exporter-'))).toEqual([name]);
});
