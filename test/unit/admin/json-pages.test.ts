import { request as httpRequest } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import {
  type JsonPage,
  type JsonPages,
  QueryMistake,
  WrittenFields,
} from '../../../server/src/admin/json-pages.js';
import { AdminCredential } from '../../../server/src/grpc/calls/credentials.js';
import { until } from '../../support/until.js';
import { raw, start } from './admin-client.js';

const TOKEN = 'a-token-of-an-admin';

function serve(page: JsonPage, credential?: AdminCredential) {
  const onRefused = vi.fn<(path: string, why: string, peer: string) => void>();
  const errors: unknown[] = [];
  const json: JsonPages = {
    access: (path) => ({ credential, onRefused: (why, peer) => onRefused(path, why, peer) }),
    pages: new Map([['/x.json', page]]),
    onError: (error) => errors.push(error),
  };
  return start({}, json).then((server) => ({ ...server, onRefused, errors }));
}

/** The status of a request with these headers. fetch() sets some of them itself. */
function statusOf(port: number, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path: '/x.json', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject).end();
  });
}

describe('JSON pages', () => {
  it('have the version of the format first', async () => {
    const { get } = await serve((query) => ({ given: query.get('a') }));
    const { status, type, body } = await get('/x.json?a=b');
    expect([status, type, body]).toEqual([200, 'application/json', '{"schema":1,"given":"b"}\n']);
  });

  it('have the version of the format first when they are written row by row', async () => {
    const { get } = await serve(() => new WrittenFields('{"rows":["ä"]}'));
    const { body, response } = await get('/x.json');
    expect(body).toBe('{"schema":1,"rows":["ä"]}\n');
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(body)));
  });

  it('accept HEAD, and reject other methods', async () => {
    const { get } = await serve(() => ({}));
    expect(await get('/x.json', 'HEAD')).toMatchObject({ status: 200, body: '' });
    const { status, response } = await get('/x.json', 'POST');
    expect([status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('name the parameter that they do not accept', async () => {
    const { get } = await serve(() => {
      throw new QueryMistake('limit', 'limit is 0');
    });
    const { status, body } = await get('/x.json');
    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual({ schema: 1, error: { parameter: 'limit', message: 'limit is 0' } });
  });

  it('return 500 without the cause when a page fails, and serve the next request', async () => {
    const page = vi.fn<JsonPage>().mockRejectedValueOnce(new Error('secret')).mockResolvedValue({});
    const { get, errors } = await serve(page);
    const { status, body } = await get('/x.json');
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
    expect(errors).toHaveLength(1);
    expect(await get('/x.json')).toMatchObject({ status: 200 });
  });

  it('require the admin token if there is one', async () => {
    const page = vi.fn<JsonPage>(() => ({}));
    const { target } = await serve(page, new AdminCredential([TOKEN], () => {}));
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`http://${target}/x.json`, { headers })).status;
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: 'Bearer wrong' })).toBe(401);
    expect(page).not.toHaveBeenCalled();
    expect(await ask({ authorization: `Bearer ${TOKEN}` })).toBe(200);
  });

  it.each<Record<string, string>>([
    { 'x-forwarded-for': '10.0.0.7' },
    { forwarded: 'for=10.0.0.7' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    // A web page whose host name resolves to this address, so that it has the same origin.
    { 'sec-fetch-site': 'same-origin', host: 'evil.example:4814' },
    { host: 'evil.example' },
    { host: '127.0.0.1.evil.example' },
  ])('reject without a token a request with %j', async (headers) => {
    const { port, onRefused } = await serve(() => ({}));
    expect(await statusOf(port, headers)).toBe(403);
    expect(onRefused).toHaveBeenCalledWith('/x.json', expect.any(String), expect.any(String));
  });

  it.each<Record<string, string>>([
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-origin' },
    { host: 'localhost:4814' },
    { host: '[::1]:4814' },
    { host: '10.0.0.7' },
    { host: 'sidecar' },
    { host: 'a.localhost:1' },
  ])('accept without a token a direct request with %j', async (headers) => {
    const { port, onRefused } = await serve(() => ({}));
    expect(await statusOf(port, headers)).toBe(200);
    expect(onRefused).not.toHaveBeenCalled();
  });

  it('reject with a token a request of another web page', async () => {
    const { port } = await serve(() => ({}), new AdminCredential([TOKEN], () => {}));
    const authorization = `Bearer ${TOKEN}`;
    expect(await statusOf(port, { authorization, 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await statusOf(port, { authorization, host: 'sidecar.example' })).toBe(200);
  });

  it('reject without a token a request from the address of a service mesh', async () => {
    const { port } = await serve(() => ({}));
    const client = raw(port, '127.0.0.6');
    client.socket.write('GET /x.json HTTP/1.1\r\nhost: x\r\n\r\n');
    await until(() => client.received.startsWith('HTTP/1.1 403'), { what: 'a rejection' });
  });

  it('are made one at a time for at most 8 requests, while probes get their answers', async () => {
    const finish: (() => void)[] = [];
    const page = () => new Promise<object>((resolve) => finish.push(() => resolve({})));
    const { get } = await serve(page);
    const answers = Array.from({ length: 9 }, () => get('/x.json').then(({ status }) => status));
    expect(await Promise.race(answers)).toBe(503);
    expect(finish).toHaveLength(1);
    expect(await get('/livez')).toMatchObject({ status: 200 });
    for (let made = 1; made <= 8; made++) {
      await until(() => finish.length === made, { what: `page ${made}` });
      finish[made - 1]!();
    }
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status === 200)).toHaveLength(8);
  });

  it('take at most a fifth of the time, however many requests come', async () => {
    let busyMs = 0;
    const page = () => {
      const startedAt = performance.now();
      while (performance.now() - startedAt < 10);
      busyMs += performance.now() - startedAt;
      return {};
    };
    const { get } = await serve(page);
    await get('/x.json');
    const startedAt = performance.now();
    busyMs = 0;
    await Promise.all(Array.from({ length: 8 }, () => get('/x.json')));
    expect(busyMs / (performance.now() - startedAt)).toBeLessThan(0.22);
  });
});
