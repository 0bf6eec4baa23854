import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUNDLE, root } from '../../scripts/build.mjs';
import { runCommand } from '../support/run-command.js';
import { freePort } from '../support/sidecars/serve-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { Tool } from '../support/tool.js';

/** The files of the npm package that the command reads, without the packages that it depends on. */
function installedFiles() {
  const folder = temporaryFolder();
  for (const path of ['bin', 'package.json', 'dist/page', 'dist/server/bundle'])
    cpSync(join(root, path), join(folder, path), { recursive: true });
  return { folder, script: join(folder, 'bin', 'spread-sidecar.mjs') };
}

describe('the bundle', () => {
  it('is the only code that the command loads', async () => {
    const { folder, script } = installedFiles();
    expect(await runCommand(process.execPath, [script, '--version'])).toMatch(/^\d+\.\d+\.\d+/);
    const [grpcPort, adminPort] = [await freePort(), await freePort()];
    const target = `127.0.0.1:${grpcPort}`;
    const server = new Tool(process.execPath, [
      ...[script, 'serve', '--grpc-listen', target, '--admin-listen', `127.0.0.1:${adminPort}`],
      ...['--embedded-daemon', '--embedded-listen', 'off', '--embedded-socket', join(folder, 'spread')],
    ]);
    await server.prints(target);
    const page = await fetch(`http://127.0.0.1:${adminPort}/`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('/page/main.js')]);
    const send = [script, 'send', '--target', target, 'room', '--message', 'hello'];
    await runCommand(process.execPath, send);
    const flood = [script, 'flood', '--target', target, '-m', '10'];
    await runCommand(process.execPath, flood);
    await runCommand(process.execPath, [script, 'healthcheck', '--target', target]);
  });

  it('contains the licences of its packages, which the SBOM lists', () => {
    const licences = readFileSync(join(BUNDLE, 'licences.txt'), 'utf8');
    const packages = [...licences.matchAll(/^(@?[\w./-]+) (\d+\.\d+\.\d+): /gm)].map(
      ([, name, version]) => `${name}@${version}`,
    );
    expect(packages).toEqual(
      expect.arrayContaining([expect.stringMatching(/^@grpc\/grpc-js@/), expect.stringMatching(/^pino@/)]),
    );
    // The licence of the ported zlib is only in the source files of pako.
    expect(licences).toContain('Jean-loup Gailly');
    const { components } = JSON.parse(readFileSync(join(root, 'sbom.cdx.json'), 'utf8'));
    const listed = components.map((one: { 'bom-ref': string }) => one['bom-ref']);
    expect(listed).toEqual(expect.arrayContaining(packages));
  });

  it('keeps tracing out of processes that do not need it', () => {
    const files = readdirSync(BUNDLE).filter((name) => name.endsWith('.js'));
    const tracing = files.filter((name) =>
      /from "@opentelemetry\//.test(readFileSync(join(BUNDLE, name), 'utf8')),
    );
    expect(tracing).toEqual([expect.stringMatching(/^open-telemetry-/)]);
  });
});
