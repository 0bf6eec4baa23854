import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../../server/src/observability/index.js';
import { CALL_FIELDS, LINE_FIELDS } from '../../../../server/src/observability/log/log-fields.js';
import { logsPage } from '../../../../server/src/observability/log/logs-page.js';
import { linesOutsideSchema, schemaErrors } from '../../../support/log-schema.js';

const LINE = { time: '2026-01-01T00:00:00.000Z', level: 'info', msg: 'x' };

describe('the fields of the log', () => {
  it.each(Object.entries({ ...LINE_FIELDS, ...CALL_FIELDS }))(
    '%s has a meaning of whole sentences',
    (name, { meaning }) => {
      expect(name).toMatch(/^([a-z][a-zA-Z]*|trace_id|span_id)$/);
      expect(meaning).toMatch(/^[A-Z`].*\.$/);
    },
  );

  it('docs/logs.md is generated from them (else: npm run gen)', () => {
    expect(readFileSync(new URL('../../../../docs/logs.md', import.meta.url), 'utf8')).toBe(logsPage());
  });

  it('the compiler rejects undocumented fields and wrong types', () => {
    const log: Logger = silentLogger;
    const calls = () => {
      // @ts-expect-error: no such field
      log.info({ mailBox: 'm1' }, 'x');
      // @ts-expect-error: a string, not a number
      log.info({ mailbox: 1 }, 'x');
    };
    expect(calls).not.toThrow();
  });
});

describe('schemaErrors', () => {
  it.each([
    [{ ...LINE, mailbox: 'm1', queuedEvents: 1, pages: ['/x'], err: { message: 'y' } }, []],
    [{ ...LINE, mailbox: 1 }, ['mailbox is not of type string']],
    [{ ...LINE, pages: [1] }, ['pages is not of type list of strings']],
    [{ ...LINE, err: null }, ['err is not of type object']],
    [{ ...LINE, mailBox: 'm1' }, ['undocumented field mailBox']],
    [{ time: LINE.time, level: 'info' }, ['no msg']],
  ])('%j', (entry, errors) => expect(schemaErrors(JSON.stringify(entry))).toEqual(errors));

  it('a log in JSON can contain other lines, and end with an incomplete line', () => {
    const log = `text\n${JSON.stringify(LINE)}\n${JSON.stringify({ ...LINE, more: '1' })}\n{"lev`;
    expect(linesOutsideSchema(log)).toEqual([expect.stringMatching(/^more is not of type number: \{/)]);
  });
});
