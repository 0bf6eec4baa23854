import { describe, expect, it } from 'vitest';
import { listConfig, loadConfig } from '../../../server/src/config/index.js';

describe('the list of options', () => {
  it('has each value with its source, without secrets', async () => {
    const { config, sources } = await loadConfig({
      flags: { 'mailbox-lease-default': '20s' },
      env: {
        SPREAD_SIDECAR_ADMIN_TOKEN: 'top-secret-admin-token',
        SPREAD_SIDECAR_GRPC_TOKENS: 'top-secret-client-token,top-secret-other-token',
      },
      file: { path: 'sidecar.yaml', text: 'daemon:\n  addresses: [4803@a, 4803@b]\n' },
    });
    const list = listConfig(config, sources);
    const of = (key: string) => list.find((option) => option.key === key);
    expect(of('mailbox.leaseDefault')).toEqual({
      key: 'mailbox.leaseDefault',
      value: '20s',
      source: 'flag',
      from: 'flag --mailbox-lease-default',
    });
    expect(of('admin.token')).toMatchObject({ value: '[redacted]', source: 'environment' });
    expect(of('grpc.tokens')).toMatchObject({ value: '[redacted]', source: 'environment' });
    expect(of('daemon.addresses')).toMatchObject({
      value: ['4803@a', '4803@b'],
      source: 'file',
      from: 'sidecar.yaml:2:14',
    });
    expect(of('admin.quitquitquit')).toMatchObject({ value: 'false', source: 'default', from: 'default' });
    expect(JSON.stringify(list)).not.toContain('secret');
  });
});
