import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { AdminCredential } from '../../../server/src/grpc/calls/credentials.js';
import { temporaryFolder } from '../../support/tmp.js';
import { start } from './admin-client.js';

const TOKEN = 'a-token-of-an-admin';
const SCRIPT = `// ${'x'.repeat(5000)}`;
const HTML = '<html data-admin-token="none"></html>';

async function serve(credential?: AdminCredential) {
  const folder = join(temporaryFolder(), 'page');
  mkdirSync(folder);
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  put('index.html', HTML);
  put('main.js', SCRIPT);
  const onRefused = vi.fn<(why: string, peer: string) => void>();
  const errors: unknown[] = [];
  const { port } = await start({}, undefined, {
    access: () => ({ credential, onRefused }),
    onError: (error) => errors.push(error),
    folder: pathToFileURL(`${folder}/`),
  });
  return { put, onRefused, errors, get: (path: string, about: Ask = {}) => ask(port, path, about) };
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** A request without the headers that fetch() adds. */
function ask(port: number, path: string, { method = 'GET', headers = {} }: Ask) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) });
    });
    request.on('error', reject).end();
  });
}

describe('the files of the status page', () => {
  it('have a content security policy without inline code and other hosts', async () => {
    const { get } = await serve();
    const { status, headers, body } = await get('/');
    expect([status, headers['content-type'], String(body)]).toEqual([200, 'text/html; charset=utf-8', HTML]);
    const policy = new Map(
      String(headers['content-security-policy'])
        .split('; ')
        .map((directive) => {
          const [name, ...values] = directive.split(' ');
          return [name, values.join(' ')];
        }),
    );
    expect(policy.get('default-src')).toBe("'none'");
    for (const name of ['script-src', 'style-src', 'connect-src', 'img-src'])
      expect(policy.get(name)).toBe("'self'");
    for (const name of ['frame-ancestors', 'base-uri', 'form-action'])
      expect(policy.get(name)).toBe("'none'");
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
  });

  it('are compressed for clients that accept gzip', async () => {
    const { get } = await serve();
    const plain = await get('/page/main.js');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(String(plain.body)).toBe(SCRIPT);
    const compressed = await get('/page/main.js', { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
    expect(compressed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(compressed.body.length).toBeLessThan(SCRIPT.length);
    expect(String(gunzipSync(compressed.body))).toBe(SCRIPT);
    const refused = await get('/page/main.js', { headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(refused.headers['content-encoding']).toBeUndefined();
  });

  it('are not sent again to a client that has them', async () => {
    const { get } = await serve();
    for (const encoding of ['gzip', 'identity']) {
      const headers = { 'accept-encoding': encoding };
      const { etag } = (await get('/page/main.js', { headers })).headers;
      const again = await get('/page/main.js', {
        headers: { ...headers, 'if-none-match': `"x", W/${etag}` },
      });
      expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
      const other = await get('/page/main.js', { headers: { ...headers, 'if-none-match': '"x"' } });
      expect(other.status).toBe(200);
    }
  });

  it('are read at the first request, and read again after a failure', async () => {
    const { get, put, errors } = await serve();
    expect(await get('/page/main.css')).toMatchObject({ status: 500 });
    expect(errors).toHaveLength(1);
    put('main.css', 'a{}');
    expect(String((await get('/page/main.css')).body)).toBe('a{}');
    put('main.css', 'b{}');
    expect(String((await get('/page/main.css')).body)).toBe('a{}');
  });

  it('accept HEAD, and reject other methods and unknown names', async () => {
    const { get } = await serve();
    expect(await get('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await get('/', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    for (const path of ['/page/../main.js', '/page/x.js', '/page/', '/main.js'])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
  });

  it('need no token, but say whether the data needs it', async () => {
    const { get, onRefused } = await serve(new AdminCredential([TOKEN], () => {}));
    const { status, body } = await get('/', { headers: { host: 'sidecar.example' } });
    expect([status, String(body)]).toEqual([200, '<html data-admin-token="required"></html>']);
    expect(onRefused).not.toHaveBeenCalled();
  });

  it.each<Record<string, string>>([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
  ])('are never for other web pages: %j', async (headers) => {
    for (const credential of [undefined, new AdminCredential([TOKEN], () => {})]) {
      const { get, onRefused } = await serve(credential);
      expect((await get('/', { headers })).status).toBe(403);
      expect(onRefused).toHaveBeenCalledTimes(1);
    }
  });

  it.each<Record<string, string>>([{ 'x-forwarded-for': '10.0.0.7' }, { host: 'evil.example' }])(
    'are without a token only for direct requests: %j',
    async (headers) => {
      const { get } = await serve();
      expect((await get('/page/main.js', { headers })).status).toBe(403);
    },
  );
});
