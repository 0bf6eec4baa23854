import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { helmCommand } from '../../scripts/helm/commands.mjs';
import { majors } from '../support/chart/helm.js';
import { pageSnippets } from '../support/docs/page-snippets.js';
import { isAvailable } from '../support/requirements.mjs';
import { temporaryFolder } from '../support/tmp.js';

const root = join(import.meta.dirname, '..', '..');
const snippets = pageSnippets();
const installs = snippets.filter(({ language, text }) => language === 'sh' && /^helm install /m.test(text));

/**
 * A folder with a `helm` that renders what it would install, and a `kubectl` that records its arguments in the file `calls`: there
 * is no cluster. As on a cluster that applies a new policy late, only the second dry run of a pod shows the sidecar.
 */
function commandsWithoutCluster(major: '3' | '4'): string {
  const folder = temporaryFolder();
  const render = `exec ${helmCommand(major)} template "$@" --kube-version 1.36.0 --api-versions admissionregistration.k8s.io/v1/MutatingAdmissionPolicy`;
  const scripts = {
    helm: `case "$1" in install) shift; ${render};; test) ;; *) echo "helm $1 is not covered" >&2; exit 1;; esac`,
    kubectl: `cd "$(dirname "$0")"
echo "$*" >> calls
case "$*" in
  *--dry-run=server*) if [ "$(grep -c -e --dry-run=server calls)" -ge 2 ]; then echo '  - name: spread-sidecar'; fi ;;
esac`,
  };
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

const cases = majors.flatMap((major) => installs.map((snippet) => ({ major, ...snippet })));

describe.skipIf(!isAvailable('helm'))('the Helm snippets of the pages', () => {
  it('exist', () => expect(installs.length).toBeGreaterThanOrEqual(3));

  it.each(cases)('of $page render as written with Helm $major', ({ major, page, text }) => {
    const folder = temporaryFolder();
    symlinkSync(join(root, 'deploy'), join(folder, 'deploy'));
    // The page gives the file before the commands.
    const values = snippets.find((one) => one.page === page && one.text.startsWith('# values.yaml\n'));
    if (values) writeFileSync(join(folder, 'values.yaml'), values.text);
    const commands = commandsWithoutCluster(major);
    const env = { ...process.env, PATH: `${commands}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync('sh', ['-euc', text], {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 15_000,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    if (text.includes('rollout restart')) {
      const calls = readFileSync(join(commands, 'calls'), 'utf8').trim().split('\n');
      const order = calls.flatMap((call) => /--dry-run=server|rollout restart/.exec(call) ?? []);
      expect(order).toEqual(['--dry-run=server', '--dry-run=server', 'rollout restart']);
    }
    // A placeholder is no image.
    expect(stdout).not.toMatch(/image: .*…/);
    const objects = parseAllDocuments(stdout).map((document) => document.toJS());
    expect(objects.filter(Boolean).map(({ kind }) => kind)).toContain('ServiceAccount');
  });
});
