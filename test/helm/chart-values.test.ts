import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../server/src/config/index.js';
import { optionRows } from '../../server/src/config/option-rows.js';
import { isListType } from '../../server/src/config/values/value-type.js';
import { majors, manifests, one, render, sample } from '../support/helm.js';
import { isAvailable } from '../support/requirements.mjs';

const external = { files: [sample('external')] };

/** The error of each installed Helm for a value that the chart rejects. */
async function refusals(values: unknown): Promise<string[]> {
  return Promise.all(
    majors.map((major) =>
      render({ ...external, major, values }).then(
        () => 'taken',
        (error: Error) => error.message,
      ),
    ),
  );
}

/** Options with the values that they have anyway, in sections. */
function sections(
  valueFor: (row: (typeof optionRows)[number]) => unknown,
): Record<string, Record<string, unknown>> {
  const found: Record<string, Record<string, unknown>> = {};
  for (const row of optionRows) {
    const value = valueFor(row);
    if (value === undefined) continue;
    found[row.section] ??= {};
    found[row.section]![row.name] = value;
  }
  return found;
}

function defaultOf(row: (typeof optionRows)[number]): unknown {
  if (row.secret) return undefined;
  if (row.isBoolean) return row.default === 'true';
  if (isListType(row.type)) return row.default === '' ? [] : row.default.split(',');
  return /^a (whole )?number/.test(row.type.expects) && /^[\d.]+$/.test(row.default)
    ? Number(row.default)
    : row.default;
}

describe.skipIf(!isAvailable('helm'))('the chart’s values', () => {
  it('reach every option of the sidecar; secrets come by files', async () => {
    const config = sections(defaultOf);
    // The default is this pod only, which probes do not reach.
    config.admin!.listen = '0.0.0.0:4814';
    const all = await manifests({ ...external, values: { config } });
    const text: string = one(all, 'ConfigMap').data['config.yaml'];
    const loaded = await loadConfig({ file: { path: 'config.yaml', text } });
    const reached = optionRows.filter(({ key }) => loaded.sources[key].kind === 'file').map(({ key }) => key);
    const open = optionRows.filter(({ secret }) => !secret).map(({ key }) => key);
    expect(reached).toEqual(open);
    const plain = await loadConfig({});
    expect({ ...loaded.config, admin: plain.config.admin }).toEqual(plain.config);
  });

  it('refuse numbers out of the sidecar’s bounds, each by its name', async () => {
    const above = (row: (typeof optionRows)[number]) => {
      const [, max] = /^a (?:whole )?number from [\d.]+ to ([\d.]+)/.exec(row.type.expects) ?? [];
      return max === undefined ? undefined : Number(max) + 1;
    };
    const numbers = optionRows.filter((row) => above(row) !== undefined);
    expect(numbers.length).toBeGreaterThan(15);
    for (const message of await refusals({ config: sections(above) }))
      for (const { section, name } of numbers)
        expect(message).toMatch(new RegExp(`config[./]${section}[./]${name}`));
  });

  it.each([
    ['a misspelt value', { workload: { replica: 2 } }, 'replica'],
    ['a misspelt group', { worload: {} }, 'worload'],
    ['a misspelt option', { config: { mailbox: { leaseDefalt: '30s' } } }, 'leaseDefalt'],
    ['a misspelt section', { config: { mailboxes: {} } }, 'mailboxes'],
    ['a text for a number', { workload: { replicas: 'two' } }, 'replicas'],
    ['a number for a list', { daemon: { external: { addresses: 4803 } } }, 'addresses'],
    ['too many daemons', { daemon: { statefulSet: { replicas: 21 } } }, 'replicas'],
    ['no port', { daemon: { port: 0 } }, 'port'],
    ['root', { workload: { runAsUser: 0 } }, 'runAsUser'],
    ['a mode that there is not', { sidecar: { mode: 'sidecar' } }, 'mode'],
    ['a daemon that there is not', { daemon: { mode: 'cluster' } }, 'mode'],
    ['a duration without a unit', { config: { drain: { grace: '10' } } }, 'grace'],
    [
      'a size with a unit that there is not',
      { config: { mailbox: { queueMaxBytes: '1TB' } } },
      'queueMaxBytes',
    ],
    ['a file mode as a number', { config: { grpc: { socketMode: 432 } } }, 'socketMode'],
    ['off without quotes', { config: { limits: { maxConnectionIdle: false } } }, 'maxConnectionIdle'],
    ['a secret in the ConfigMap', { config: { admin: { token: 'aaaaaaaaaaaaaaaaaaaa' } } }, 'token'],
    ['an annotation that is no text', { workload: { podAnnotations: { note: 1 } } }, 'note'],
  ])('refuse %s', async (_, values, name) => {
    for (const message of await refusals(values)) {
      expect(message).not.toBe('taken');
      expect(message).toContain(name);
      expect(message).toContain('schema');
    }
  });
});
