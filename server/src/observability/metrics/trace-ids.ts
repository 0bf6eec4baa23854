/** The IDs of a span and of its trace, in hexadecimal digits as in the header `traceparent`. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Returns the IDs of the current span. Undefined: there is no span, or the span is not sampled. */
export type CurrentTrace = () => TraceIds | undefined;
