import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/network/certificates.js';
import { cli } from '../support/sidecars/cli.js';
import { put, startSecured } from '../support/sidecars/secured-sidecar.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
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

describe('a wrong argument', () => {
  it.each<[string[], string]>([
    [['a b'], 'group "a b" has the illegal byte 0x20'],
    [['cats', '-u', 'elevenchars'], '--user "elevenchars" has 11 bytes; it must have at most 10 bytes'],
    [['cats', '-s', 'nowhere'], '--spread-name "nowhere" must have one of the forms'],
    [['cats', '-s', '99999'], '--spread-name "99999" has an invalid port; it must be from 1 to 65535'],
    [
      ['cats', '--type', '99999'],
      "'--type <number>' argument '99999' is invalid. It must be a whole number from",
    ],
    [
      ['cats', '--timeout', '0s'],
      "'--timeout <duration>' argument '0s' is invalid. It must be a duration from",
    ],
  ])('is named with its value and its range: %j', async (words, sentence) => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await cli(['send', ...words, '-m', 'x', '-t', target]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain(sentence);
  });

  it('of TLS is named with its file and the mistake', async () => {
    const folder = temporaryFolder();
    const { cert, key } = await authority.server();
    const other = await authority.server();
    const certPath = put(join(folder, 'tls.crt'), cert);
    const keyPath = put(join(folder, 'other.key'), other.key);
    const nonsense = put(join(folder, 'nonsense'), 'hello');
    const both = put(join(folder, 'both.pem'), `${cert}\n${key}`);
    const errorOf = async (...flags: string[]) => (await send('-t', '127.0.0.1:1', ...flags)).stderr;
    expect(await errorOf('--tls-cert', certPath)).toContain(
      `--tls-cert ${certPath} contains no private key: set the file of the key with --tls-key`,
    );
    expect(await errorOf('--tls-cert', certPath, '--tls-key', keyPath)).toContain(
      'does not belong to the cert',
    );
    expect(await errorOf('--tls-cert', nonsense)).toContain('contains no valid certificate in PEM');
    expect(await errorOf('--tls-ca', nonsense)).toContain(
      `--tls-ca ${nonsense} contains no valid certificate`,
    );
    expect(await errorOf('--tls-key', keyPath)).toContain('set its certificate with --tls-cert');
    expect(await errorOf('--tls-cert', both)).toContain('cannot be reached');
  });
});

describe('a command that does not reach a sidecar names the likely mistake and its flag', () => {
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
    expect(stderr).toContain("the client rejects the sidecar's certificate");
    expect(stderr).toContain('--tls-ca');
  });

  it('a client with TLS on a port without TLS', async () => {
    const { target } = await startSidecar();
    const { exitCode, stderr } = await send('-t', target, '--tls');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('the port does not accept TLS; set --tls only if the sidecar uses TLS');
  });

  it('a target with the scheme http', async () => {
    const { exitCode, stderr } = await send('-t', 'http://127.0.0.1:4813');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--target "http://127.0.0.1:4813" has the unsupported scheme "http"');
    expect(stderr).toContain('(from --target or SPREAD_SIDECAR_TARGET)');
  });

  it('healthcheck with a malformed target', async () => {
    const env = { SPREAD_SIDECAR_TARGET: 'http://127.0.0.1:4813' };
    const { exitCode, stderr } = await cli(['healthcheck'], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('has the unsupported scheme "http"');
    expect(stderr).toContain('(from --target or SPREAD_SIDECAR_TARGET)');
  });

  it('healthcheck with a target without a port asks port 4813', async () => {
    const { stdout, stderr } = await cli(['healthcheck', '-t', '127.0.0.1']);
    expect(stdout + stderr).toContain('127.0.0.1');
    expect(stderr).not.toContain(':443');
  });

  it.each(['TLS', 'INSECURE'])('a SPREAD_SIDECAR_%s that is neither true nor false', async (name) => {
    const env = { [`SPREAD_SIDECAR_${name}`]: 'maybe' };
    const { exitCode, stderr } = await cli(['send', 'cats', '-m', 'x', '-t', '127.0.0.1:1'], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`SPREAD_SIDECAR_${name} must be true, false, 1 or 0; got maybe`);
  });

  it('a token without TLS to another machine', async () => {
    const token = put(join(temporaryFolder(), 'token'), '0123456789abcdef\n');
    const { exitCode, stderr } = await send('-t', '192.0.2.1:4813', '--token-file', token);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      'the token of --token-file must not be sent to 192.0.2.1:4813 without TLS; use TLS, a Unix socket or a loopback address, or set --insecure to allow this',
    );
  });

  it('the admin port as the target', async () => {
    const { admin } = await startSecured({});
    const { exitCode, stderr } = await send('-t', admin);
    expect(exitCode).toBe(4);
    expect(stderr).toContain('check that the port is the gRPC port (4813 by default), not the admin port');
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
