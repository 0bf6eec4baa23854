/** What a page of the admin port answers. */
export interface Answer {
  status: number;
  type: string;
  /** Bytes where one body goes to several requests. */
  body: string | Buffer;
  headers?: Readonly<Record<string, string>>;
  /** To be done when the answer has been given. */
  afterwards?: () => void;
}

export const TEXT = 'text/plain; charset=utf-8';
export const JSON_TYPE = 'application/json';

export function methodNotAllowed(allow: string): Answer {
  return { status: 405, type: TEXT, body: `method not allowed; allowed: ${allow}\n`, headers: { allow } };
}
