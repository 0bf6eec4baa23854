import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IP_AUTH, NULL_AUTH } from '../../server/src/spread/auth.js';
import { Session } from '../../server/src/spread/session.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { failureOf } from '../support/sidecars/rpc-error.js';
import { call } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';

const PASSWORD = { name: 'PWORD', authenticate: async () => {} };

describe.skipIf(!isAvailable('spread-home'))('methods of authentication of a real Spread daemon', () => {
  const daemons: Record<string, RealSpread> = {};
  const config = ['AllowedAuthMethods = "NULL IP"'];

  beforeAll(async () => {
    [daemons.local, daemons.elsewhere] = await Promise.all([
      RealSpread.start({ config, accessIp: ['local', 'unix'] }),
      RealSpread.start({ config, accessIp: ['10.20.30.40'] }),
    ]);
  }, 60_000);
  afterAll(() => Promise.all(Object.values(daemons).map((daemon) => daemon.stop())));

  const tcp = (name: string) => `${daemons[name]!.port}@127.0.0.1`;
  const unix = (name: string) => daemons[name]!.unix.path;
  const refused = { code: 'REJECT_AUTH', number: -9 };

  it.each([
    ['NULL over TCP', 'NULL', 'local', tcp, true],
    ['NULL over a Unix socket', 'NULL', 'local', unix, true],
    ['IP from an address that the file has', 'IP', 'local', tcp, true],
    ['IP from another address', 'IP', 'elsewhere', tcp, false],
    ['IP over a Unix socket, though the file has "unix"', 'IP', 'local', unix, false],
  ])('%s', async (_, method, name, addressOf, accepted) => {
    const auth = [method === 'IP' ? IP_AUTH : NULL_AUTH];
    const connecting = Session.connect({ address: addressOf(name), auth });
    if (!accepted) return expect(connecting).rejects.toMatchObject(refused);
    const session = await connecting;
    session.start({ onMessage() {}, onClose() {} });
    await session.disconnect();
  });

  it('are the contract’s: ip_method', async () => {
    const { client } = await startSidecar({ daemons: [tcp('local')], allow: [tcp('elsewhere')] });
    const auth = { method: { $case: 'ipMethod' as const, value: {} } };
    expect((await call(client, 'connect', { auth })).privateGroup).toMatch(/^#.+#localhost$/);
    const error = await failureOf(call(client, 'connect', { auth, daemon: tcp('elsewhere') }));
    expect(error.info).toMatchObject({ reason: 'REJECT_AUTH', domain: 'spread.org' });
  });

  it('have no password: the daemon does not know PWORD, even where it is allowed', async () => {
    const daemon = await RealSpread.start({ config: ['AllowedAuthMethods = "NULL IP PWORD"'] });
    try {
      await expect(
        Session.connect({ address: `${daemon.port}@127.0.0.1`, auth: [PASSWORD] }),
      ).rejects.toMatchObject({
        ...refused,
        message: expect.stringMatching(/it offers NULL,? IP$/),
      });
    } finally {
      await daemon.stop();
    }
  }, 30_000);
});
