import { expect, it } from 'vitest';
import { toOpenMetrics, toPlainText } from '../../../../server/src/observability/metrics/open-metrics.js';

it('toOpenMetrics renames the families of counters, writes bucket boundaries as floats, and ends the page', () => {
  const text = [
    '# HELP calls_total Calls by "method".',
    '# TYPE calls_total counter',
    'calls_total{method="a"} 3',
    '',
    '# HELP open Open ones.',
    '# TYPE open gauge',
    'open 1',
    '',
    '# HELP seconds Time.',
    '# TYPE seconds histogram',
    'seconds_bucket{le="0.1",method="a"} 1',
    'seconds_bucket{method="a",le="1"} 2',
    'seconds_bucket{le="+Inf",method="a"} 2',
    'seconds_sum{method="a"} 0.4',
    'seconds_count{method="a"} 2',
    '',
  ].join('\n');
  expect(toOpenMetrics(text).split('\n')).toEqual([
    '# HELP calls Calls by \\"method\\".',
    '# TYPE calls counter',
    'calls_total{method="a"} 3',
    '# HELP open Open ones.',
    '# TYPE open gauge',
    'open 1',
    '# HELP seconds Time.',
    '# TYPE seconds histogram',
    'seconds_bucket{le="0.1",method="a"} 1',
    'seconds_bucket{method="a",le="1.0"} 2',
    'seconds_bucket{le="+Inf",method="a"} 2',
    'seconds_sum{method="a"} 0.4',
    'seconds_count{method="a"} 2',
    '# EOF',
    '',
  ]);
});

const HISTOGRAM = [
  '# HELP seconds Time # {of} 1 2',
  '# TYPE seconds histogram',
  'seconds_bucket{le="1"} 1 # {trace_id="ab",span_id="cd"} 0.5 1700000000.123',
  'seconds_bucket{le="+Inf"} 1',
  '# EOF',
  '',
  'open{group="x # {y} 1"} 2',
].join('\n');

it('toOpenMetrics keeps exemplars, and ends only the whole page', () => {
  expect(toOpenMetrics(HISTOGRAM).split('\n')).toEqual([
    '# HELP seconds Time # {of} 1 2',
    '# TYPE seconds histogram',
    'seconds_bucket{le="1.0"} 1 # {trace_id="ab",span_id="cd"} 0.5 1700000000.123',
    'seconds_bucket{le="+Inf"} 1',
    'open{group="x # {y} 1"} 2',
    '# EOF',
    '',
  ]);
});

it('toPlainText removes exemplars and the end of a page', () => {
  expect(toPlainText(HISTOGRAM).split('\n')).toEqual([
    '# HELP seconds Time # {of} 1 2',
    '# TYPE seconds histogram',
    'seconds_bucket{le="1"} 1',
    'seconds_bucket{le="+Inf"} 1',
    '',
    'open{group="x # {y} 1"} 2',
  ]);
});
