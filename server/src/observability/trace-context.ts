import type { AsyncLocalStorage } from 'node:async_hooks';

/** The IDs of a span, in hexadecimal digits, as in W3C Trace Context. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** The span of running code. Code that the span started can outlive the span. */
export interface ActiveSpan extends TraceIds {
  readonly isEnded: boolean;
  /** Whether the span is exported. */
  readonly isSampled: boolean;
}

let storage: AsyncLocalStorage<ActiveSpan> | undefined;

/** From now on, {@link currentTrace} returns the span in this storage. Only tracing calls this function. */
export function traceFrom(spans: AsyncLocalStorage<ActiveSpan>): void {
  storage = spans;
}

/** The span of the running code, for log lines. Undefined without a span, and while tracing is off. */
export function currentTrace(): TraceIds | undefined {
  const span = storage?.getStore();
  return span === undefined || span.isEnded ? undefined : span;
}

/** The same for exemplars, which must name an exported trace. */
export function currentSampledTrace(): TraceIds | undefined {
  return storage?.getStore()?.isSampled ? currentTrace() : undefined;
}
