import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isAvailable } from '../../support/requirements.mjs';
import { temporaryFolder } from '../../support/tmp.js';

/** An environment with commands that print the version of a Helm, for each of the given versions. */
function withHelm(...versions: readonly string[]): NodeJS.ProcessEnv {
  const folder = temporaryFolder();
  const named = versions.map((version) => {
    const command = join(folder, version);
    writeFileSync(command, `#!/bin/sh\necho ${version}\n`);
    chmodSync(command, 0o755);
    return [`HELM${version[1]}`, command];
  });
  return { HELM3: join(folder, 'missing'), HELM4: join(folder, 'missing'), ...Object.fromEntries(named) };
}

describe('the suites of the Helm chart', () => {
  it.each([
    { versions: ['v3.22.0'], some: true, both: false },
    { versions: ['v4.3.1'], some: true, both: false },
    { versions: ['v3.22.0', 'v4.3.1'], some: true, both: true },
    { versions: [], some: false, both: false },
  ])('run with $versions: $some, comparisons of two releases: $both', ({ versions, some, both }) => {
    const env = withHelm(...versions);
    expect(isAvailable('helm', env)).toBe(some);
    expect(isAvailable('both-helms', env)).toBe(both);
  });
});
