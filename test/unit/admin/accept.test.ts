import { expect, it } from 'vitest';
import { prefersOpenMetrics } from '../../../server/src/admin/accept.js';

it.each([
  // The Accept headers of Prometheus 2 and 3.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    true,
  ],
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
    true,
  ],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; version=1.0.0', true],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text;q=0.2, text/plain', false],
  ['application/openmetrics-text;version=0.0.1', false],
  ['text/plain', false],
  ['*/*', false],
  ['', false],
  [undefined, false],
])('Accept: %s', (accept, expected) => {
  expect(prefersOpenMetrics(accept)).toBe(expected);
});
