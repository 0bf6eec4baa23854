import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { type QuitPage, quitAnswer } from '../../../server/src/admin/quit-page.js';
import { AdminCredential } from '../../../server/src/grpc/calls/credentials.js';

const TOKEN = 'a token of an admin'.replaceAll(' ', '-');

/** The result of a request with this method, these headers and this peer. */
function ask(
  about: {
    method?: string;
    headers?: Record<string, string>;
    peer?: string;
    credential?: AdminCredential;
  } = {},
) {
  const { method = 'POST', headers = {}, peer = '127.0.0.1', credential } = about;
  const page = { credential, onRefused: vi.fn<QuitPage['onRefused']>(), quit: vi.fn<() => void>() };
  const request = { method, headers, socket: { remoteAddress: peer, remotePort: 1 } };
  const answer = quitAnswer(page, request as unknown as IncomingMessage);
  expect(page.quit).not.toHaveBeenCalled();
  answer.afterwards?.();
  return { ...answer, quits: page.quit.mock.calls.length > 0, refusals: page.onRefused.mock.calls };
}

describe('POST /quitquitquit', () => {
  it.each(['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1'])('ends the sidecar for %s', (peer) => {
    expect(ask({ peer })).toMatchObject({ status: 200, body: 'ok\n', quits: true, refusals: [] });
  });

  it.each(['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '::ffff:7f00:1', '128.0.0.1', ''])(
    'without a credential rejects %s',
    (peer) => {
      const { status, quits, refusals } = ask({ peer });
      expect([status, quits]).toEqual([403, false]);
      expect(refusals).toEqual([[expect.stringContaining('this machine or pod'), `${peer}:1`]]);
    },
  );

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('rejects %s', (method) => {
    expect(ask({ method })).toMatchObject({ status: 405, headers: { allow: 'POST' }, quits: false });
  });

  it.each<Record<string, string>>([
    { origin: 'https://evil.example' },
    // The headers of a page whose host name resolves to this address, so that the page has the same origin.
    { origin: 'http://evil.example:4814', 'sec-fetch-site': 'same-origin' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])('rejects browsers: %j', (headers) => {
    const { status, quits, refusals } = ask({ headers });
    expect([status, quits, refusals.length]).toEqual([403, false, 1]);
  });

  it.each([
    'forwarded',
    'via',
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-forwarded-client-cert',
    'x-real-ip',
    'x-envoy-external-address',
    'l5d-client-id',
  ])('without a credential rejects a request that a proxy marked with %s', (header) => {
    const { status, body, quits, refusals } = ask({ headers: { [header]: '10.0.0.7' } });
    expect([status, quits, refusals.length]).toEqual([403, false, 1]);
    expect(body).toContain(header);
  });

  it.each(['127.0.0.6', '::ffff:127.0.0.6'])('without a credential rejects a mesh proxy at %s', (peer) => {
    expect(ask({ peer })).toMatchObject({
      status: 403,
      quits: false,
      refusals: [[expect.any(String), `${peer}:1`]],
    });
  });

  it('accepts a forwarded request with the admin token', () => {
    const credential = new AdminCredential([TOKEN], () => {});
    const headers = { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '10.0.0.7' };
    expect(ask({ credential, headers, peer: '127.0.0.6' })).toMatchObject({ status: 200, quits: true });
  });

  it('requires the admin token if one is configured, from every address', () => {
    const refused = vi.fn<() => void>();
    const credential = new AdminCredential([TOKEN], refused);
    for (const peer of ['127.0.0.1', '10.0.0.7']) {
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: TOKEN }]) {
        expect(ask({ headers: headers as Record<string, string>, peer, credential })).toMatchObject({
          status: 401,
          headers: { 'www-authenticate': 'Bearer' },
          quits: false,
        });
      }
      const headers = { authorization: `Bearer ${TOKEN}` };
      expect(ask({ headers, peer, credential })).toMatchObject({ status: 200, quits: true });
    }
    expect(refused).toHaveBeenCalledTimes(6);
  });
});
