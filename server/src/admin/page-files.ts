import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Answer, TEXT } from './answer.js';
import { fileRefusal, type PageAccess } from './page-access.js';

/** The status page for people, and who may read it. */
export interface StatusPage {
  access(path: string): PageAccess;
  /** Called when a file could not be read. */
  onError(error: unknown): void;
  /** The built files. Default: those of this package. */
  readonly folder?: URL;
}

/** `scripts/build-page.mjs` writes them. The path is the same from the source of this file and from the compiled file. */
const FOLDER = new URL('../../../dist/page/', import.meta.url);

/** The files of the page, by path. */
const FILES: ReadonlyMap<string, { readonly name: string; readonly type: string }> = new Map([
  ['/', { name: 'index.html', type: 'text/html; charset=utf-8' }],
  ['/page/main.js', { name: 'main.js', type: 'text/javascript; charset=utf-8' }],
  ['/page/main.css', { name: 'main.css', type: 'text/css; charset=utf-8' }],
  ['/page/icon.svg', { name: 'icon.svg', type: 'image/svg+xml' }],
  ['/page/licences.txt', { name: 'licences.txt', type: TEXT }],
]);

/** In `index.html`: whether the page must ask for the admin token. The page would otherwise find out by a rejected request. */
const TOKEN_ATTRIBUTE = 'data-admin-token="none"';
const TOKEN_REQUIRED = 'data-admin-token="required"';

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  // A browser stores the file, and asks each time whether its file is the current one.
  'cache-control': 'no-cache',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  vary: 'accept-encoding',
};

/** A file in both encodings. */
interface LoadedFile {
  readonly plain: Buffer;
  readonly compressed: Buffer;
  readonly etag: string;
}

/** Answers requests for the files of the status page. Reads and compresses a file at its first request. */
export class PageFiles {
  readonly #loaded = new Map<string, Promise<LoadedFile>>();

  constructor(private readonly page: StatusPage) {}

  /** @returns undefined: there is no such file */
  async answer(path: string, request: IncomingMessage): Promise<Answer | undefined> {
    const file = FILES.get(path);
    if (file === undefined) return undefined;
    const access = this.page.access(path);
    const refused = fileRefusal(access, request);
    if (refused) return refused;
    try {
      const loaded = await this.#load(file.name, access.credential !== undefined);
      return fileAnswer(file.type, loaded, request);
    } catch (error) {
      this.page.onError(error);
      const body = 'the file of the page could not be read; the log has the cause\n';
      return { status: 500, type: TEXT, body };
    }
  }

  #load(name: string, isTokenRequired: boolean): Promise<LoadedFile> {
    let loading = this.#loaded.get(name);
    if (loading === undefined) {
      loading = loadFile(new URL(name, this.page.folder ?? FOLDER), isTokenRequired);
      this.#loaded.set(name, loading);
      loading.catch(() => this.#loaded.delete(name));
    }
    return loading;
  }
}

async function loadFile(file: URL, isTokenRequired: boolean): Promise<LoadedFile> {
  const read = await readFile(file);
  const plain =
    isTokenRequired && file.pathname.endsWith('.html')
      ? Buffer.from(read.toString().replace(TOKEN_ATTRIBUTE, TOKEN_REQUIRED))
      : read;
  const digest = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  // Not on the thread of the event loop.
  return { plain, compressed: await promisify(gzip)(plain), etag: digest };
}

function fileAnswer(type: string, { plain, compressed, etag }: LoadedFile, request: IncomingMessage): Answer {
  const { 'accept-encoding': accepted, 'if-none-match': known = '' } = request.headers;
  const isCompressed = acceptsGzip(accepted);
  // Each encoding has its own tag (RFC 9110 §8.8.3.3).
  const tag = isCompressed ? `"${etag}-gzip"` : `"${etag}"`;
  const headers = { ...HEADERS, etag: tag };
  const tags = known.split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (tags.includes(tag) || tags.includes('*')) return { status: 304, type, body: '', headers };
  if (!isCompressed) return { status: 200, type, body: plain, headers };
  return { status: 200, type, body: compressed, headers: { ...headers, 'content-encoding': 'gzip' } };
}

/** Whether the header Accept-Encoding (RFC 9110 §12.5.3) allows gzip. Without it: no. */
function acceptsGzip(accepted = ''): boolean {
  return accepted.split(',').some((part) => {
    const [coding = '', ...parameters] = part
      .toLowerCase()
      .split(';')
      .map((piece) => piece.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    return coding === 'gzip' && (weight === undefined || Number(weight.slice(2)) > 0);
  });
}
