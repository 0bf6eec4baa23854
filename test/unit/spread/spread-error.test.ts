import { describe, expect, it } from 'vitest';
import { SpreadError, toSpreadError } from '../../../server/src/spread/spread-error.js';
import { WireError } from '../../../server/src/spread/wire/index.js';

describe('toSpreadError', () => {
  it('keeps code, field, bound and message of a WireError', () => {
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

  it('hides all other errors behind a fixed message', () => {
    const error = toSpreadError(new Error('detail'));
    expect(error.code).toBe('SP_BUG');
    expect(error.message).not.toContain('detail');
    expect(error.cause).toMatchObject({ message: 'detail' });
  });
});
