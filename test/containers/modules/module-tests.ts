import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Module } from '../../../scripts/testcontainers.mjs';
import { moduleEnvironment } from '../../support/containers/image.js';
import { TestAuthority } from '../../support/network/certificates.js';
import { runCommand } from '../../support/run-command.js';
import { temporaryFolder } from '../../support/tmp.js';

/** Long enough for a cold build that fetches its packages. Unit: ms. */
export const BUILD_MS = 600_000;
/** Long enough for some thirty containers, one after the other. Unit: ms. */
export const TESTS_MS = 300_000;

/** Runs a module's own tests against the image, and gives what they printed. */
export async function runModuleTests(module: Module, image: string): Promise<string> {
  const { command, args, cwd, env } = module.test();
  return runCommand(command, args, {
    cwd,
    env: {
      ...process.env,
      ...env,
      ...moduleEnvironment(image),
      TEST_TLS_FOLDER: await certificates(),
    },
    timeoutMs: TESTS_MS,
  });
}

/** A folder with the certificate of a sidecar that is not called as the host that it is reached at. */
async function certificates(): Promise<string> {
  const folder = temporaryFolder();
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.serverNamed('sidecar.test');
  for (const [name, text] of Object.entries({ 'ca.crt': authority.cert, 'tls.crt': cert, 'tls.key': key }))
    writeFileSync(join(folder, name), text);
  return folder;
}
