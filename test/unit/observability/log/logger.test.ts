import { describe, expect, it } from 'vitest';
import {
  createLogger,
  type LoggerOptions,
  silentLogger,
} from '../../../../server/src/observability/index.js';
import { loose } from '../../../support/log-schema.js';

const MAILBOX_ID = '0123456789abcdef0123456789abcdef';

function setUp(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const log = loose(createLogger({ level: 'info', format: 'json', destination, ...options }));
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('json', () => {
  it('has one line for each entry, with time, level, message and fields', () => {
    const { log, lines, entries } = setUp();
    log.info({ port: 4813 }, 'listening');
    log.warn('look');
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
    expect(entries()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        port: 4813,
        msg: 'listening',
      },
      { level: 'warn', time: expect.any(String), msg: 'look' },
    ]);
  });

  it('children add their fields', () => {
    const { log, entries } = setUp();
    log.child({ part: 'grpc' }).info('x');
    expect(entries()[0]).toMatchObject({ part: 'grpc', msg: 'x' });
  });

  it('an error has its type, code, stack and cause, and no other property', () => {
    const { log, entries } = setUp();
    const error = Object.assign(new TypeError('bad', { cause: new Error('deeper') }), {
      code: 'X',
      token: 'geheim',
    });
    log.error({ err: error }, 'failed');
    log.error({ err: 'a string' }, 'failed');
    const [first, second] = entries();
    expect(first!.err).toEqual({
      type: 'TypeError',
      message: 'bad',
      code: 'X',
      stack: expect.stringMatching(/^TypeError: bad\n[\s\S]*\ncaused by: Error: deeper\n/),
    });
    expect(second!.err).toEqual({ message: 'a string' });
  });

  it.each([
    ['warn', ['warn', 'error', 'fatal']],
    ['trace', ['trace', 'debug', 'info', 'warn', 'error', 'fatal']],
    ['silent', []],
  ] as const)('level %s', (level, written) => {
    const { log, entries } = setUp({ level });
    for (const name of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[name]('x');
    expect(entries().map((entry) => entry.level)).toEqual(written);
    expect(log.isLevelEnabled('warn')).toBe(level !== 'silent');
  });
});

describe('secrets', () => {
  it.each([
    ['by name', { token: 'geheim', adminToken: 'geheim', 'admin-token': 'geheim', authorization: 'geheim' }],
    ['in capitals', { Authorization: 'geheim', PASSWORD: 'geheim' }],
    ['nested', { call: { metadata: { authorization: 'geheim' } } }],
    ['in lists', { calls: [{ mailbox_id: 'geheim' }, { mailboxId: 'geheim' }] }],
    ['in objects of a class', { metadata: new Map([['x', 'geheim']]), url: new URL('http://geheim@x') }],
    ['too deep to be looked at', { a: { a: { a: { a: { a: { a: { token: 'geheim' } } } } } } }],
    ['that are not texts', { token: { value: 'geheim' } }],
  ])('%s', (_, fields) => {
    const { log, lines } = setUp();
    log.info(fields, 'x');
    log.child(fields).info('x');
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).not.toContain('geheim');
  });

  it.each(['json', 'pretty'] as const)('inside of messages, %s', (format) => {
    const { log, lines } = setUp({ format });
    log.info(
      { note: `id ${MAILBOX_ID}` },
      `mailbox ${MAILBOX_ID}, authorization: Bearer geheim, digest ${'ab'.repeat(32)}`,
    );
    log.error({ err: new Error(`no mailbox ${MAILBOX_ID}`) }, 'x');
    const text = lines.join('');
    expect(text).not.toContain(MAILBOX_ID);
    expect(text).not.toContain('geheim');
    expect(text).toContain('mailbox [redacted], authorization: Bearer [redacted] digest abab');
  });

  it('given fields are not changed', () => {
    const fields = { token: 'geheim', nested: { token: 'geheim' } };
    setUp().log.info(fields, 'x');
    expect(fields).toEqual({ token: 'geheim', nested: { token: 'geheim' } });
  });

  it('a cycle ends', () => {
    const { log, lines } = setUp();
    const loop: Record<string, unknown> = {};
    loop.loop = loop;
    log.info(loop, 'x');
    expect(lines).toHaveLength(1);
  });
});

describe('pretty', () => {
  it('is readable for people', () => {
    const { log, lines } = setUp({ format: 'pretty' });
    log.info({ port: 4813, group: '#a#b', text: 'two words', list: [1, 'x'] }, 'listening');
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} INFO {2}listening port=4813 group=#a#b text="two words" list=\[1,"x"\]\n$/,
    );
  });

  it('shows an error with its stack below', () => {
    const { log, lines } = setUp({ format: 'pretty' });
    log.error({ err: new Error('bad') }, 'failed');
    expect(lines[0]).toMatch(/ERROR failed\n {2}Error: bad\n {6}at /);
  });

  it('control characters do not reach the terminal', () => {
    const { log, lines } = setUp({ format: 'pretty' });
    const evil = '\u001b]0;x\u0007\u009b1m\r\n';
    log.error({ name: evil, err: new Error(evil) }, evil);
    expect(lines[0]!.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(lines[0]).toContain('\\x1b]0;x\\x07\\x9b1m');
  });

  it.each([
    ['auto', true, true, true],
    ['auto', false, false, false],
    ['pretty', false, true, false],
    ['json', true, false, false],
  ] as const)('format %s, terminal %s: pretty %s, coloured %s', (format, terminal, pretty, coloured) => {
    const { log, lines } = setUp({ format, terminal });
    log.info('x');
    expect(lines[0]!.startsWith('{')).toBe(!pretty);
    expect(lines[0]!.includes('\u001b[32m')).toBe(coloured);
  });
});

it('the silent logger accepts everything', () => {
  loose(silentLogger).child({ a: 1 }).error({ a: 1 }, 'x');
  expect(silentLogger.isLevelEnabled('fatal')).toBe(false);
});
