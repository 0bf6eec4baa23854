import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGE_PACKAGES } from '../../../scripts/build.mjs';
import { runCommand } from '../../support/run-command.js';
import { temporaryFolder } from '../../support/tmp.js';

const root = new URL('../../..', import.meta.url).pathname;

/** A copy of the input files of the SBOM, without an SBOM. */
function copy() {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'scripts'));
  for (const file of ['package.json', 'package-lock.json', 'scripts/build.mjs', 'scripts/generate-sbom.mjs'])
    copyFileSync(join(root, file), join(folder, file));
  const generate = async (epoch: number) => {
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(epoch) };
    await runCommand(process.execPath, [join(folder, 'scripts/generate-sbom.mjs')], { env });
    return JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8'));
  };
  return { folder, generate };
}

describe('the SBOM', () => {
  it('in the repository matches the lock file, with a time, a serial number and a tool', async () => {
    const committed = JSON.parse(readFileSync(join(root, 'sbom.cdx.json'), 'utf8'));
    expect(committed.metadata.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(committed.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(committed.metadata.tools.components).toHaveLength(1);
    const made = await copy().generate(0);
    expect({ ...made, metadata: { ...made.metadata, timestamp: committed.metadata.timestamp } }).toEqual(
      committed,
    );
  });

  it('keeps its time and serial number while its content is the same, and changes both with it', async () => {
    const { folder, generate } = copy();
    const first = await generate(1_000_000_000);
    expect(first.metadata.timestamp).toBe('2001-09-09T01:46:40Z');
    expect(await generate(1_100_000_000)).toEqual(first);
    const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
    lock.packages['node_modules/yaml'].version = '0.0.1';
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
    const changed = await generate(1_100_000_000);
    expect(changed.metadata.timestamp).toBe('2004-11-09T11:33:20Z');
    expect(changed.serialNumber).not.toBe(first.serialNumber);
  });

  it('lists the pinned versions of production dependencies, and the client that the package bundles', async () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const { components } = await copy().generate(0);
    const listed = components.map((one: { 'bom-ref': string }) => one['bom-ref']);
    for (const [name, version] of Object.entries(dependencies)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(listed).toContain(`${name}@${version}`);
    }
    expect(listed).toContainEqual(expect.stringMatching(/^spread-sidecar-client@/));
  });

  it('lists the pinned packages from which the status page has code', async () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const { components } = await copy().generate(0);
    const listed = components.map((one: { 'bom-ref': string }) => one['bom-ref']);
    for (const name of PAGE_PACKAGES) {
      expect(devDependencies[name]).toMatch(/^\d+\.\d+\.\d+$/);
      expect(listed).toContain(`${name}@${devDependencies[name]}`);
    }
  });
});
