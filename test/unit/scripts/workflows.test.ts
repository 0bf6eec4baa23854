import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ACTIONLINT_VERSION, actionlintCommand, isAvailable } from '../../support/requirements.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
const filesOf = (folder: string) => readdirSync(path.join(ROOT, folder)).map((name) => `${folder}/${name}`);

const workflows = filesOf('.github/workflows');
const forms = filesOf('.github/ISSUE_TEMPLATE').filter((name) => !name.endsWith('/config.yml'));

describe('the GitHub workflows', () => {
  it.skipIf(!isAvailable('actionlint'))('pass actionlint', () => {
    const { status, stdout } = spawnSync(actionlintCommand(), ['-no-color', ...workflows], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it.each(workflows)('%s names each action by its commit and release', (name) => {
    const uses = [...read(name).matchAll(/uses: (.*)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(0);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('the CI workflow runs .ci/run on every supported Node', () => {
    const { strategy, steps } = parse(read('.github/workflows/ci.yml')).jobs.test;
    expect(strategy.matrix.node).toEqual([20, 22, 24, 26]);
    expect(steps.at(-1).run).toMatch(/bash \.ci\/run$/);
  });

  it('the scripts that workflows run exist and are executable', () => {
    const scripts = workflows.flatMap((name) => read(name).match(/\.ci\/\w+/g) ?? []);
    expect(scripts).toContain('.ci/pack');
    for (const script of scripts) accessSync(path.join(ROOT, script), constants.X_OK);
  });

  it('.ci/run installs the version of actionlint that the test runs', () => {
    expect(read('.ci/run')).toContain(`cmd/actionlint@v${ACTIONLINT_VERSION}\n`);
  });
});

describe.each(forms)('%s', (name) => {
  const form = parse(read(name));

  it('has a name, a description and labelled fields with unique ids', () => {
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) });
    const fields = form.body.filter(({ type }: { type: string }) => type !== 'markdown');
    expect(fields.length).toBeGreaterThan(0);
    for (const { type, attributes } of fields) {
      expect(['input', 'textarea', 'dropdown', 'checkboxes']).toContain(type);
      expect(attributes.label).toBeTruthy();
    }
    expect(new Set(fields.map(({ id }: { id: string }) => id)).size).toBe(fields.length);
  });
});
