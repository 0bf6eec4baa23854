/** A page that takes longer than this counts as not answered. Unit: ms. */
const TIMEOUT_MS = 10_000;

/** The sidecar did not accept the admin token, or needs one. */
export class TokenRejected extends Error {}

/** The sidecar answered, but not with the page. */
export class RequestRejected extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Reads the JSON pages. Stores the admin token only in memory. */
export class Api {
  #token = '';

  /** The admin token of all further requests. */
  useToken(token: string): void {
    this.#token = token;
  }

  /**
   * Rejects with TokenRejected, RequestRejected, or another error if there is no answer.
   *
   * @param query - a parameter with the value '' is omitted
   */
  async get<Page>(
    path: string,
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<Page> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== '') parameters.set(name, String(value));
    const suffix = parameters.size === 0 ? '' : `?${parameters}`;
    const response = await fetch(`${path}${suffix}`, {
      headers: this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
    });
    if (response.ok) return response.json() as Promise<Page>;
    if (response.status === 401) throw new TokenRejected();
    throw new RequestRejected(response.status, await messageOf(response));
  }
}

async function messageOf(response: Response): Promise<string> {
  const text = await response.text();
  if (response.headers.get('content-type') !== 'application/json') return text.trim();
  return (JSON.parse(text) as { error: { message: string } }).error.message;
}
