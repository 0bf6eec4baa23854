import { describe, expect, it } from 'vitest';
import { QueryMistake } from '../../../server/src/admin/json-pages.js';
import { pageQuery } from '../../../server/src/status/query.js';

const parse = (query: string) => pageQuery(new URLSearchParams(query), ['name', 'size']);

function mistake(query: string): QueryMistake {
  try {
    parse(query);
  } catch (error) {
    if (error instanceof QueryMistake) return error;
    throw error;
  }
  throw new Error('the query was accepted');
}

describe('the query of a page', () => {
  it('has defaults', () => {
    expect(parse('')).toEqual({ offset: 0, limit: 100, order: 'name', isDescending: false, filter: '' });
  });

  it('has offset, limit, order and filter', () => {
    expect(parse('offset=7&limit=1000&sort=-size&filter=%23a')).toEqual({
      offset: 7,
      limit: 1000,
      order: 'size',
      isDescending: true,
      filter: '#a',
    });
  });

  it.each([
    ['limit=0', 'limit', '1 to 1000'],
    ['limit=1001', 'limit', '1 to 1000'],
    ['limit=', 'limit', '1 to 1000'],
    ['limit=1e2', 'limit', '1 to 1000'],
    ['limit=1.5', 'limit', '1 to 1000'],
    ['offset=-1', 'offset', '0 to 10000000'],
    ['offset=10000001', 'offset', '0 to 10000000'],
    [`offset=${'9'.repeat(400)}`, 'offset', '0 to 10000000'],
    ['sort=other', 'sort', 'allowed are name, size; put - before the name for descending order'],
    ['sort=--name', 'sort', 'name, size'],
    ['sort=', 'sort', 'name, size'],
    [`filter=${'x'.repeat(257)}`, 'filter', '0 to 256'],
    ['limt=1', 'limt', 'offset, limit, sort, filter'],
    ['limit=1&limit=2', 'limit', 'at most once'],
  ])('%s is rejected with the parameter and the bound', (query, parameter, bound) => {
    const error = mistake(query);
    expect(error.parameter).toBe(parameter);
    expect(error.message).toContain(bound);
    expect(error.message.length).toBeLessThan(300);
  });

  it('cannot name an order by an inherited property', () => {
    expect(mistake('sort=constructor').parameter).toBe('sort');
  });
});
