import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, errorRow } from '../../../server/src/spread/error-table.js';
import { SpreadError, toSpreadError } from '../../../server/src/spread/spread-error.js';
import { SpreadCode, WireError } from '../../../server/src/spread/wire/index.js';

/** The statuses that the design page fixes. */
const FIXED: Record<string, string[]> = {
  UNAVAILABLE: ['COULD_NOT_CONNECT', 'CONNECTION_CLOSED', 'NET_ERROR_ON_SESSION'],
  ALREADY_EXISTS: ['REJECT_NOT_UNIQUE'],
  INVALID_ARGUMENT: [
    'ILLEGAL_SPREAD',
    'REJECT_ILLEGAL_NAME',
    'REJECT_NO_NAME',
    'ILLEGAL_GROUP',
    'ILLEGAL_SERVICE',
    'ILLEGAL_MESSAGE',
    'ILLEGAL_TIME',
    'MESSAGE_TOO_LONG',
  ],
  RESOURCE_EXHAUSTED: ['REJECT_QUOTA'],
  UNAUTHENTICATED: ['REJECT_AUTH'],
  FAILED_PRECONDITION: ['REJECT_VERSION'],
  NOT_FOUND: ['ILLEGAL_SESSION'],
  INTERNAL: ['SP_BUG'],
};

describe('the error table', () => {
  it('has one row for each error of Spread', () => {
    const names = Object.keys(SpreadCode).filter((name) => name !== 'ACCEPT_SESSION');
    expect(ERROR_TABLE.map(({ code }) => code).sort()).toEqual(names.sort());
    for (const row of ERROR_TABLE) {
      expect(row.number).toBe(SpreadCode[row.code]);
      expect(row.sentence).toMatch(/^[A-Z].*\.$/);
      expect(errorRow(row.code)).toBe(row);
    }
  });

  it.each(Object.entries(FIXED))('%s', (status, codes) => {
    for (const code of codes) expect(ERROR_TABLE.find((row) => row.code === code)?.grpcStatus).toBe(status);
  });

  it('what is unavailable may be tried again', () => {
    for (const row of ERROR_TABLE) if (row.grpcStatus === 'UNAVAILABLE') expect(row.retryable).toBe(true);
  });
});

describe('toSpreadError', () => {
  it('keeps code, field, bound and sentence of a WireError', () => {
    const cause = new WireError('ILLEGAL_GROUP', 'group', 'group is empty', '1..31 bytes');
    expect(toSpreadError(cause)).toMatchObject({
      code: 'ILLEGAL_GROUP',
      number: -14,
      field: 'group',
      bound: '1..31 bytes',
      message: 'group is empty',
      cause,
    });
  });

  it('leaves a SpreadError as it is', () => {
    const error = new SpreadError('REJECT_QUOTA', 'full');
    expect(toSpreadError(error)).toBe(error);
  });

  it('hides anything else behind a fixed sentence', () => {
    const error = toSpreadError(new Error('detail'));
    expect(error.code).toBe('SP_BUG');
    expect(error.message).not.toContain('detail');
    expect(error.cause).toMatchObject({ message: 'detail' });
  });
});
