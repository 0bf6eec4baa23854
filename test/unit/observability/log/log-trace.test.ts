import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../../server/src/observability/index.js';
import {
  type ActiveSpan,
  currentTrace,
  traceFrom,
} from '../../../../server/src/observability/trace-context.js';

const IDS = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const MAILBOX_ID = '0123456789abcdef0123456789abcdef';

function setUp() {
  const spans = new AsyncLocalStorage<ActiveSpan>();
  traceFrom(spans);
  const lines: string[] = [];
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line: string) => lines.push(line) },
  });
  return { spans, log, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('the trace of log lines', () => {
  it('is in the lines that a span writes, also after it waited', async () => {
    const { spans, log, entries } = setUp();
    await spans.run({ ...IDS, isEnded: false, isSampled: true }, async () => {
      await Promise.resolve();
      log.info({ openFiles: 1 }, 'inside');
      log.child({ mailbox: 'm1' }).info('of a child');
    });
    log.info('outside');
    const trace = { trace_id: IDS.traceId, span_id: IDS.spanId };
    expect(entries()).toEqual([
      { level: 'info', time: expect.any(String), ...trace, openFiles: 1, msg: 'inside' },
      { level: 'info', time: expect.any(String), ...trace, mailbox: 'm1', msg: 'of a child' },
      { level: 'info', time: expect.any(String), msg: 'outside' },
    ]);
  });

  it('is not in the lines of code that outlives the span', () => {
    const { spans, log, entries } = setUp();
    const span = { ...IDS, isEnded: false, isSampled: true };
    spans.run(span, () => {
      span.isEnded = true;
      log.info('later');
      expect(currentTrace()).toBeUndefined();
    });
    expect(entries()[0]).not.toHaveProperty('trace_id');
  });

  it('does not hide the trace ID, but mailbox IDs, also in texts that look like the field', () => {
    const { spans, log, entries } = setUp();
    spans.run({ ...IDS, isEnded: false, isSampled: true }, () =>
      log.info({ peer: MAILBOX_ID, why: `"trace_id":"${MAILBOX_ID}"` }, MAILBOX_ID),
    );
    expect(entries()[0]).toMatchObject({
      trace_id: IDS.traceId,
      peer: '[redacted]',
      why: '"trace_id":"[redacted]"',
      msg: '[redacted]',
    });
  });
});
