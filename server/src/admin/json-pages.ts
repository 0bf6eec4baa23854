import type { IncomingMessage, ServerResponse } from 'node:http';
import { shortLivedBuffers } from '../memory/short-lived-buffers.js';
import { type Answer, JSON_TYPE, TEXT } from './answer.js';
import { type PageAccess, readRefusal } from './page-access.js';
import { ScrapeSlots } from './scrape-slots.js';
import { RestingWork } from './shared-page.js';

/** The version of the documented fields. It changes when a field is removed or changes its meaning. */
const SCHEMA = 1;

/** Pages that are made or not yet read at the same time. A further request gets 503. */
const MAX_OPEN = 8;

/** The pages for programs, and who may read them. */
export interface JsonPages {
  access(path: string): PageAccess;
  /** By path. Each page has a bounded size, makes long pages in parts, and throws {@link QueryMistake}. */
  readonly pages: ReadonlyMap<string, JsonPage>;
  /** Called when a page failed. */
  onError(error: unknown): void;
}

/** The fields of a page as the text of a JSON object that has at least one field. A long page is written once, row by row. */
export class WrittenFields {
  constructor(readonly json: string) {}
}

/** Returns the fields of a page. */
export type JsonPage = (query: URLSearchParams) => Promise<object | WrittenFields> | object | WrittenFields;

/** A query value that the page does not accept. */
export class QueryMistake extends Error {
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super(message);
  }
}

/** Answers requests for the JSON pages. Makes one page at a time, and rests between, so that other work gets its turn. */
export class JsonAnswers {
  readonly #slots = new ScrapeSlots(MAX_OPEN);
  readonly #work = new RestingWork();
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly json: JsonPages) {}

  /** @returns undefined: there is no such page */
  async answer(
    path: string,
    query: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<Answer | undefined> {
    const page = this.json.pages.get(path);
    if (page === undefined) return undefined;
    const refused = readRefusal(this.json.access(path), request);
    if (refused) return refused;
    if (!this.#slots.take(response)) {
      const body = `too many requests for JSON pages are open; at most ${MAX_OPEN} are accepted; retry after a second\n`;
      return { status: 503, type: TEXT, body, headers: { 'retry-after': '1' } };
    }
    const made = this.#last.then(() => this.#work.run(() => this.#make(page, query, response)));
    this.#last = made;
    return made;
  }

  async #make(page: JsonPage, query: string, response: ServerResponse): Promise<Answer> {
    // The next page begins in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
    if (response.destroyed) return { status: 503, type: TEXT, body: '' };
    try {
      return jsonAnswer(200, await page(new URLSearchParams(query)));
    } catch (error) {
      if (error instanceof QueryMistake) {
        const { parameter, message } = error;
        return jsonAnswer(400, { error: { parameter, message } });
      }
      this.json.onError(error);
      return { status: 500, type: TEXT, body: 'the page could not be created; the log has the cause\n' };
    }
  }
}

function jsonAnswer(status: number, fields: object | WrittenFields): Answer {
  const json =
    fields instanceof WrittenFields
      ? `{"schema":${SCHEMA},${fields.json.slice(1)}`
      : JSON.stringify({ schema: SCHEMA, ...fields });
  const body = Buffer.from(`${json}\n`);
  shortLivedBuffers.count(body.length);
  return { status, type: JSON_TYPE, body };
}
