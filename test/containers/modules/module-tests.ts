import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Module } from '../../../scripts/testcontainers.mjs';
import { moduleEnvironment } from '../../support/containers/image.js';
import { TestAuthority } from '../../support/network/certificates.js';
import { runCommand } from '../../support/run-command.js';
import { temporaryFolder } from '../../support/tmp.js';

/** Time for a first build that downloads its packages. Unit: ms. */
export const BUILD_MS = 600_000;
/** Time for about thirty containers, one after the other. Unit: ms. */
export const TESTS_MS = 300_000;

/** Runs a module's own tests against the image, and returns their output. */
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

/** A folder with the certificate of a sidecar whose name differs from the host name in the target. */
async function certificates(): Promise<string> {
  const folder = temporaryFolder();
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.serverNamed('sidecar.test');
  for (const [name, text] of Object.entries({ 'ca.crt': authority.cert, 'tls.crt': cert, 'tls.key': key }))
    writeFileSync(join(folder, name), text);
  return folder;
}
