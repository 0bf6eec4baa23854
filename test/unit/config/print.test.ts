import { describe, expect, it } from 'vitest';
import { loadConfig, printConfig } from '../../../server/src/config/index.js';
import { optionRows } from '../../../server/src/config/option-rows.js';

const env = {
  SPREAD_SIDECAR_ADMIN_TOKEN: 'geheim-geheim-geheim',
  SPREAD_SIDECAR_GRPC_LISTEN: '[::1]:4813,unix:/run/a b#c.sock',
};
const flags = { 'embedded-daemon': true };
const file = { path: '/etc/sidecar.yaml', text: 'mailbox:\n  leaseMax: 90s\n  overflow: disconnect\n' };

describe('printConfig', () => {
  it('shows every value with its origin', async () => {
    const { config, sources } = await loadConfig({ env, flags, file });
    const lines = printConfig(config, sources).split('\n');
    expect(lines).toContain(
      '  listen: ["[::1]:4813", "unix:/run/a b#c.sock"] # environment SPREAD_SIDECAR_GRPC_LISTEN',
    );
    expect(lines).toContain('  enabled: true # flag --embedded-daemon');
    expect(lines).toContain('  leaseMax: 90s # /etc/sidecar.yaml:2:13');
    expect(lines).toContain('  # queueMaxBytes: auto (default)');
    expect(lines).toContain('  # listen: 127.0.0.1:4814 (default)');
    expect(lines.filter((line) => line.startsWith('  '))).toHaveLength(optionRows.length);
  });

  it('redacts secrets', async () => {
    const { config, sources } = await loadConfig({ env });
    const text = printConfig(config, sources);
    expect(text).toContain('  token: "[redacted]" # environment SPREAD_SIDECAR_ADMIN_TOKEN');
    expect(text).not.toContain('geheim');
  });

  it.each([{}, flags])('is a file that gives the same configuration: flags %j', async (given) => {
    const { SPREAD_SIDECAR_ADMIN_TOKEN: _, ...open } = env;
    const { config, sources } = await loadConfig({ env: open, flags: given, file });
    const text = printConfig(config, sources);
    expect((await loadConfig({ file: { path: 'printed', text } })).config).toEqual(config);
  });
});
