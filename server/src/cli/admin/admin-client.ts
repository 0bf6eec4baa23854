import { type IncomingMessage, request } from 'node:http';
import { CommandFailure } from '../command-failure.js';
import { ExitCode } from '../exit-codes.js';
import { printable } from '../terminal/event-text.js';

/** The admin port of a running sidecar. */
export interface AdminPort {
  readonly host: string;
  readonly port: number;
  /** The admin token. */
  readonly token: string | undefined;
  /** Time limit of one request. Unit: ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A page or a part of it. Another release can omit fields. */
export type Fields = Readonly<Record<string, unknown>>;

/** A failure that may pass: the port is unreachable, does not respond in time, or is busy. */
export class TemporaryFailure extends CommandFailure {}

/** The version of the pages that this release reads. */
const SCHEMA = 1;
/** Largest accepted page. A page of the sidecar has about 1 MiB. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_SHOWN = 300;

/**
 * Reads a JSON page.
 *
 * @param list - the field that must be a list
 * @param query - parameters; undefined ones are omitted
 * @throws CommandFailure
 */
export async function readPage(
  port: AdminPort,
  page: string,
  list: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): Promise<Fields> {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  const search = parameters.size === 0 ? '' : `?${parameters}`;
  const { status, text } = await get(port, `${page}${search}`);
  const where = addressOf(port);
  if (status !== 200) throw rejection(port, page, status, text);
  const content = parse(text);
  if (typeof content?.schema !== 'number')
    throw new CommandFailure(notAdmin(where, `the response to ${page} is not a JSON page`), ExitCode.refused);
  if (content.schema !== SCHEMA || !Array.isArray(content[list]))
    throw new CommandFailure(
      `the page ${page} of the admin port ${where} has format ${content.schema}${content.schema === SCHEMA ? ` without "${list}"` : ''}; this release reads format ${SCHEMA}: use the spread-sidecar command of the sidecar's release`,
      ExitCode.refused,
    );
  return content;
}

/** The address of the admin port, for messages. */
export const addressOf = ({ host, port }: AdminPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const notAdmin = (where: string, why: string) =>
  `${where} is not the admin port of a sidecar: ${why}; set the address of admin.listen with --admin`;

/** Text of a server for an error message: one line, bounded. */
function shown(text: string): string {
  const line = text.trim();
  return printable(line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line);
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Fields)
      : undefined;
  } catch {
    return undefined;
  }
}

function rejection(port: AdminPort, page: string, status: number, text: string): CommandFailure {
  const where = `the admin port ${addressOf(port)}`;
  switch (status) {
    case 400: {
      const { error } = parse(text) ?? {};
      const message = (error as { message?: unknown } | undefined)?.message;
      return new CommandFailure(
        `${where} rejected the request: ${shown(typeof message === 'string' ? message : text)}`,
        ExitCode.refused,
      );
    }
    case 401:
      return new CommandFailure(
        port.token === undefined
          ? `${where} requires the admin token: set the file of the token with --admin-token-file`
          : `${where} rejected the admin token: check the file of --admin-token-file, or the admin token of the configuration in the environment`,
        ExitCode.refused,
      );
    case 403:
      return new CommandFailure(
        `${where} rejected the request (403): ${shown(text)}; run the command on the sidecar's machine or in its pod, or set an admin token`,
        ExitCode.refused,
      );
    case 503:
      return new TemporaryFailure(
        `${where} is busy (503): ${shown(text)}; run the command again`,
        ExitCode.refused,
      );
    case 500:
      return new CommandFailure(
        `${where} could not create ${page} (500); the log of the sidecar has the cause`,
        ExitCode.failure,
      );
    default:
      return new CommandFailure(
        notAdmin(addressOf(port), `it answered ${page} with status ${status}`),
        ExitCode.refused,
      );
  }
}

/** Sends one request on a connection of its own. Does not follow redirects, because they would get the token. */
async function get(port: AdminPort, path: string): Promise<{ status: number; text: string }> {
  const { host, token, timeoutMs, signal } = port;
  const timeout = AbortSignal.timeout(timeoutMs);
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request({
        host,
        port: port.port,
        path,
        headers,
        agent: false,
        signal: AbortSignal.any([signal, timeout]),
      })
        .on('response', resolve)
        .on('error', reject)
        .end();
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES)
        throw new CommandFailure(
          notAdmin(addressOf(port), `its response has more than ${MAX_BYTES} bytes`),
          ExitCode.refused,
        );
      chunks.push(chunk);
    }
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CommandFailure) throw error;
    throw connectionFailure(port, error as NodeJS.ErrnoException, timeout.aborted);
  }
}

function connectionFailure(
  port: AdminPort,
  error: NodeJS.ErrnoException,
  isTimeout: boolean,
): CommandFailure {
  const where = addressOf(port);
  if (isTimeout)
    return new TemporaryFailure(
      `the admin port ${where} did not respond within ${port.timeoutMs} ms (--timeout)`,
      ExitCode.timeout,
      error,
    );
  if (error.code?.startsWith('HPE_'))
    return new CommandFailure(notAdmin(where, 'its response is not HTTP/1.1'), ExitCode.refused, error);
  if (error.code === 'ERR_INVALID_CHAR')
    return new CommandFailure('the admin token contains an invalid character', ExitCode.usage, error);
  const reason = error.message || error.code;
  return new TemporaryFailure(
    `the admin port ${where} cannot be reached: ${reason}; check that the sidecar runs there (--admin names its admin port)`,
    ExitCode.unreachable,
    error,
  );
}
