import { fieldError, optionError } from './spread-error.js';

/**
 * Headers of a message, by name. A name has 1 to 64 characters of `a-z 0-9 - _ .`, and a value is text. All headers
 * of a message have at most 8,192 bytes: 3 for each header, its name and its value in UTF-8.
 */
export type MessageHeaders = Readonly<Record<string, string>>;

/** W3C Trace Context: the position of the message in a trace. Reserved for tracing. */
export const TRACEPARENT_HEADER = 'traceparent';
/** W3C Trace Context: data of tracing systems. Reserved for tracing. */
export const TRACESTATE_HEADER = 'tracestate';
/** W3C Baggage: data of the application that follows a trace. Reserved for tracing. */
export const BAGGAGE_HEADER = 'baggage';
/** The media type of the payload, such as `application/json`. */
export const CONTENT_TYPE_HEADER = 'content-type';
/** The group or private group that expects the reply to this message. */
export const REPLY_TO_HEADER = 'reply-to';
/** The value that a reply repeats, so that the requester finds the request of the reply. */
export const CORRELATION_ID_HEADER = 'correlation-id';

const TEXT = 'Unicode text without lone surrogates';

/** Shared by the messages without headers. */
export const NO_HEADERS: MessageHeaders = Object.freeze(emptyHeaders());
/** The same map in the form of the contract. Read-only. */
export const NO_PROTO_HEADERS = new Map<string, string>();

/** Without a prototype, so that `constructor` and `__proto__` are names like any other. */
function emptyHeaders(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}

/** Converts headers to the contract. The sidecar checks names and sizes. */
export function toProtoHeaders(headers: MessageHeaders | undefined): Map<string, string> {
  if (headers === undefined) return NO_PROTO_HEADERS;
  const entries = Object.entries(headers);
  if (entries.length === 0) return NO_PROTO_HEADERS;
  for (const [name, value] of entries) {
    if (!isText(name))
      throw optionError(
        'headers',
        `an object whose names are ${TEXT}`,
        `the names in headers must be ${TEXT}; got ${name}`,
      );
    if (typeof value !== 'string' || !isText(value))
      throw fieldError(`headers[${JSON.stringify(name)}]`, TEXT, value);
  }
  return new Map(entries);
}

/** Converts headers of the contract. */
export function fromProtoHeaders(headers: ReadonlyMap<string, string>): MessageHeaders {
  if (headers.size === 0) return NO_HEADERS;
  const result = emptyHeaders();
  for (const [name, value] of headers) result[name] = value;
  return Object.freeze(result);
}

/** Whether UTF-8 can represent the text. */
function isText(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
