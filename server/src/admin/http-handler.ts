import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { prefersOpenMetrics } from './accept.js';
import { type Answer, JSON_TYPE, methodNotAllowed, TEXT } from './answer.js';
import { type ProbeChecks, reportText, runChecks } from './checks.js';
import { type DropPage, dropAnswer } from './drop-page.js';
import { JsonAnswers, type JsonPages } from './json-pages.js';
import { PageFiles, type StatusPage } from './page-files.js';
import { type QuitPage, quitAnswer } from './quit-page.js';
import { ScrapeSlots } from './scrape-slots.js';
import { SharedPage } from './shared-page.js';

/** A page of metrics as a scraper gets it. */
export interface MetricsPage {
  contentType: string;
  body: string;
  /** The same page in OpenMetrics, for scrapers that prefer it. Undefined: there is none. */
  openMetrics?(): { contentType: string; body: string };
}

export interface AdminPages {
  checks: ProbeChecks;
  metrics(): Promise<MetricsPage> | MetricsPage;
  /** Called when metrics() failed. */
  onError(error: unknown): void;
  /** Behind `POST /quitquitquit`; undefined: there is no such page. */
  quit?: QuitPage | undefined;
  /** Behind `POST /drop-mailbox`; undefined: there is no such page. */
  drop?: DropPage | undefined;
  /** The pages for programs, such as `/status.json`; undefined: there are none. */
  json?: JsonPages | undefined;
  /** The page for people at `/`; undefined: there is none. */
  status?: StatusPage | undefined;
}

const METHODS = 'GET, HEAD';
/** Largest body of a request; no page wants one, but some clients send one with every POST. Unit: bytes. */
const MAX_BODY_BYTES = 4096;

/**
 * GET and HEAD of `/metrics`, `/livez`, `/readyz`, `/startupz`. A probe answers 200 or 503; `?verbose` lists
 * its checks as JSON. The pages of {@link JsonPages}, and the files of {@link StatusPage}. And `POST /quitquitquit` and `POST /drop-mailbox`, where they
 * are allowed.
 *
 * @param maxScrapes - most requests for `/metrics` at once; more: 503
 */
export function adminHandler(pages: AdminPages, maxScrapes: number): RequestListener {
  const metrics = new MetricsAnswers(pages, maxScrapes);
  const json = pages.json && new JsonAnswers(pages.json);
  const files = pages.status && new PageFiles(pages.status);
  return (request, response) => {
    // Bodies are not wanted; an unread one would block the connection's next request.
    request.resume();
    void answer(pages, { metrics, json, files }, request, response);
  };
}

/** What makes the answers of several requests. */
interface Answerers {
  readonly metrics: MetricsAnswers;
  readonly json: JsonAnswers | undefined;
  readonly files: PageFiles | undefined;
}

async function answer(
  pages: AdminPages,
  answerers: Answerers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, type, body, headers, afterwards } =
    bodyRefusal(request) ?? (await page(pages, answerers, request, response));
  response.writeHead(status, {
    // RFC 9110: an answer with 204 has neither, and one with 304 needs neither.
    ...(status === 204 || status === 304
      ? {}
      : { 'content-type': type, 'content-length': Buffer.byteLength(body) }),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  // Node leaves the body of an answer to HEAD away.
  response.end(body);
  afterwards?.();
}

/** What a request with a body that must not be read gets; its connection is closed. */
function bodyRefusal({ headers }: IncomingMessage): Answer | undefined {
  const close = { connection: 'close' };
  if (headers['transfer-encoding'] !== undefined)
    return {
      status: 411,
      type: TEXT,
      body: 'a request with a body must have the header content-length\n',
      headers: close,
    };
  if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) {
    const body = `the body is too large; at most ${MAX_BODY_BYTES} bytes are accepted\n`;
    return { status: 413, type: TEXT, body, headers: close };
  }
  return undefined;
}

async function page(
  pages: AdminPages,
  answerers: Answerers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  if (path === '/quitquitquit' && pages.quit) return quitAnswer(pages.quit, request);
  if (path === '/drop-mailbox' && pages.drop) return dropAnswer(pages.drop, request, query);
  const json = await answerers.json?.answer(path, query, request, response);
  if (json) return json;
  const file = await answerers.files?.answer(path, request);
  if (file) return file;
  const known = path === '/metrics' || path === '/livez' || path === '/readyz' || path === '/startupz';
  if (!known) {
    return {
      status: 404,
      type: TEXT,
      body: 'not found; try /, /metrics, /livez, /readyz, /startupz, /status.json\n',
    };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return methodNotAllowed(METHODS);
  }
  if (path === '/metrics') return answerers.metrics.answer(request, response);
  const report = runChecks(pages.checks[path.slice(1) as keyof ProbeChecks]);
  const status = report.ok ? 200 : 503;
  if (new URLSearchParams(query).has('verbose')) {
    const { ok, checks } = report;
    return { status, type: JSON_TYPE, body: `${JSON.stringify({ status: ok ? 'ok' : 'failed', checks })}\n` };
  }
  return { status, type: TEXT, body: reportText(report) };
}

/** Answers requests for `/metrics`: one page is made for all requests that wait, and kept once for all that take it. */
class MetricsAnswers {
  readonly #slots: ScrapeSlots;
  readonly #page: SharedPage<ByFormat>;

  constructor(pages: AdminPages, maxScrapes: number) {
    this.#slots = new ScrapeSlots(maxScrapes);
    this.#page = new SharedPage(() => metricsAnswers(pages));
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    if (this.#slots.take(response)) {
      const { text, openMetrics } = await this.#page.get();
      return (prefersOpenMetrics(request.headers.accept) ? openMetrics?.() : undefined) ?? text;
    }
    const body = 'too many requests for the metrics are open; retry after a second\n';
    return { status: 503, type: TEXT, body, headers: { 'retry-after': '1' } };
  }
}

/** One page in the formats that it may be asked for in. */
interface ByFormat {
  readonly text: Answer;
  /** Made when first asked for. */
  readonly openMetrics?: () => Answer;
}

async function metricsAnswers(pages: AdminPages): Promise<ByFormat> {
  try {
    const page = await pages.metrics();
    let openMetrics: Answer | undefined;
    return {
      text: metricsAnswer(page),
      openMetrics:
        page.openMetrics &&
        (() => {
          openMetrics ??= metricsAnswer(page.openMetrics!());
          return openMetrics;
        }),
    };
  } catch (error) {
    pages.onError(error);
    const body = 'the metrics could not be collected; the log has the cause\n';
    return { text: { status: 500, type: TEXT, body } };
  }
}

function metricsAnswer({ contentType, body }: { contentType: string; body: string }): Answer {
  return { status: 200, type: contentType, body: Buffer.from(body), headers: { vary: 'accept' } };
}
