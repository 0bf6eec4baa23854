import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/certificates.js';
import { cli } from '../support/cli.js';
import { put, startSecured } from '../support/secured-sidecar.js';
import { startSidecar } from '../support/sidecar-fixture.js';
import { temporaryFolder } from '../support/tmp.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

/** A sidecar with TLS, and the file of the authority that signed its certificate. */
async function startWithTls() {
  const folder = temporaryFolder();
  const { cert, key } = await authority.server();
  const sidecar = await startSecured({
    GRPC_TLS_CERT: put(join(folder, 'tls.crt'), cert),
    GRPC_TLS_KEY: put(join(folder, 'tls.key'), key),
  });
  return { target: sidecar.targets[0] as string, admin: sidecar.admin };
}

const send = (...flags: string[]) => cli(['send', 'cats', '-m', 'x', ...flags]);

describe('a command that reaches no sidecar names the likely mistake and its flag', () => {
  it('a client without TLS on a port with TLS', async () => {
    const { target } = await startWithTls();
    const { exitCode, stderr } = await send('-t', target);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`the sidecar at ${target} cannot be reached`);
    expect(stderr).toContain('set --tls if the sidecar uses TLS');
  });

  it('a certificate of an authority that the client does not trust', async () => {
    const { target } = await startWithTls();
    const other = put(join(temporaryFolder(), 'ca.crt'), (await TestAuthority.create()).cert);
    const { exitCode, stderr } = await send('-t', target, '--tls-ca', other);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('its certificate is rejected');
    expect(stderr).toContain('--tls-ca');
  });

  it('a client with TLS on a port without TLS', async () => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await send('-t', target, '--tls');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('the port does not speak TLS; set --tls only if the sidecar uses TLS');
  });

  it('a target with the scheme http', async () => {
    const { exitCode, stderr } = await send('-t', 'http://127.0.0.1:4813');
    expect(exitCode).toBe(4);
    expect(stderr).toContain('--target "http://127.0.0.1:4813" has the unsupported scheme "http"');
  });

  it('the admin port as the target', async () => {
    const { admin } = await startSecured({});
    const { exitCode, stderr } = await send('-t', admin);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('give the gRPC port of a sidecar (by default 4813), not its admin port');
  });

  it('the gRPC port of a sidecar as the daemon', async () => {
    const { target: grpc } = await startSidecar();
    const [host, port] = grpc.split(':');
    const { target } = await startSidecar({ daemons: [`${port}@${host}`] });
    const { exitCode, stderr } = await send('-t', target);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(
      'check that the address is that of a Spread daemon, not the gRPC port of a sidecar',
    );
  });
});
