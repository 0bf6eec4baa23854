import { credentials } from '@grpc/grpc-js';
import { type SidecarOptions, SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';

const make = (options: SidecarOptions) => void new SpreadSidecar(options).close();

describe('a token', () => {
  it.each([
    'sidecar:4813',
    '10.0.0.1:4813',
    'dns:///sidecar:4813',
    'ipv4:10.0.0.1:4813',
    'ipv6:[fd00::1]:4813',
    '[fd00::1]:4813',
    '127.0.0.1.evil.example:4813',
    'localhost.evil.example',
  ])('is not sent unencrypted to %s', async (target) => {
    for (const options of [{ token: 'x' }, { token: () => 'x' }, { headers: { Authorization: 'Bearer x' } }])
      expect(() => make({ target, ...options })).toThrow(
        /must not be sent to .* without TLS; use TLS, a Unix socket or a loopback address/,
      );
    const sidecar = new SpreadSidecar({ target });
    await expect(sidecar.listMailboxes('x').next()).rejects.toThrow(
      /adminToken must not be sent to .* without TLS/,
    );
    await sidecar.close();
    make({ target, token: 'x', insecure: true });
    make({ target, token: 'x', tls: true });
    make({ target, token: 'x', credentials: credentials.createSsl() });
  });

  it.each([
    '127.0.0.1:4813',
    'localhost:4813',
    'localhost',
    '[::1]:4813',
    'unix:/run/sidecar.sock',
    'unix:///run/sidecar.sock',
    'dns:///localhost:4813',
    'ipv4:127.0.0.1:4813',
    'ipv6:[::1]:4813',
  ])('may go to %s', (target) => make({ target, token: 'x' }));
});

describe('TLS options', () => {
  it('are rejected if they contradict each other', () => {
    expect(() => make({ tls: true, credentials: credentials.createInsecure() })).toThrow(
      /^tls and credentials are both set; set only one of them$/,
    );
    expect(() => make({ tls: { cert: 'x' } })).toThrow(
      /^tls\.cert is set without tls\.key; set both or neither$/,
    );
    expect(() => make({ tls: { key: 'x' } })).toThrow(
      /^tls\.key is set without tls\.cert; set both or neither$/,
    );
    make({ tls: false, credentials: credentials.createInsecure() });
  });
});
