import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../../server/src/observability/log/logger.js';

/** A log whose reader waits until the test resumes it. */
function stalledLog() {
  const stream = new PassThrough({ writableHighWaterMark: 1024, readableHighWaterMark: 1024 });
  const log = createLogger({ level: 'info', format: 'json', destination: stream });
  const read = async () => {
    const lines: Record<string, unknown>[] = [];
    for (const line of String(stream.read() ?? '').split('\n')) if (line !== '') lines.push(JSON.parse(line));
    return lines;
  };
  return { stream, log, read };
}

describe('a log whose reader stalls', () => {
  it('holds a limited number of bytes, discards whole lines, and reports how many when the reader continues', async () => {
    const { stream, log } = stalledLog();
    const LINES = 50_000;
    for (let i = 0; i < LINES; i++) log.info({ count: i }, 'x'.repeat(100));
    expect(stream.writableLength).toBeLessThan(1024 * 1024 + 1024);
    expect(stream.writableLength).toBeGreaterThan(500_000);

    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
    });
    await new Promise((resolve) => stream.once('drain', resolve));
    log.info('the reader is back');
    stream.end();
    await new Promise((resolve) => stream.once('end', resolve));
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { count?: number; msg: string; dropped?: number });
    const kept = lines.filter(({ count }) => count !== undefined);
    expect(kept.map(({ count }) => count)).toEqual(kept.map((_, index) => index));
    expect(lines.slice(kept.length)).toMatchObject([
      {
        dropped: LINES - kept.length,
        msg: 'log lines were discarded because the reader of the log is too slow',
      },
      { msg: 'the reader is back' },
    ]);
  });

  it('discards nothing of a fast reader', async () => {
    const { stream, log } = stalledLog();
    let text = '';
    stream.on('data', (chunk) => {
      text += chunk;
    });
    for (let i = 0; i < 20_000; i++) {
      log.info('x'.repeat(100));
      if (i % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    stream.end();
    await new Promise((resolve) => stream.once('end', resolve));
    expect(text.trimEnd().split('\n')).toHaveLength(20_000);
  });
});
