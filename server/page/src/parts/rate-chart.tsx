import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { rate } from '../format.js';
import { CHART_MS, type RateSeries } from '../rate-history.js';

interface RateChartProps {
  readonly series: RateSeries;
  /** The right end of the chart. Unit: ms. */
  readonly nowMs: number;
  /** The current rates, for readers who do not see the chart. */
  readonly received: number;
  readonly sent: number;
  /** With axes. Default: only the lines, in one row of a table. */
  readonly isLarge?: boolean;
}

const SMALL = { width: 96, height: 26 };
const LARGE_HEIGHT = 170;

/** A chart of the rates of the last two minutes. */
export function RateChart({ series, nowMs, received, sent, isLarge = false }: RateChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const end = useRef(nowMs);
  end.current = nowMs;
  useEffect(() => {
    const element = box.current!;
    const size = isLarge ? { width: element.clientWidth, height: LARGE_HEIGHT } : SMALL;
    const made = new uPlot(
      options(size, isLarge, () => end.current),
      [[], [], []],
      element,
    );
    chart.current = made;
    const watcher = new ResizeObserver(() => {
      if (isLarge) made.setSize({ width: element.clientWidth, height: LARGE_HEIGHT });
    });
    watcher.observe(element);
    // The colors are read when the chart is drawn.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => made.redraw();
    scheme.addEventListener('change', redraw);
    return () => {
      scheme.removeEventListener('change', redraw);
      watcher.disconnect();
      made.destroy();
    };
  }, [isLarge]);
  useEffect(() => chart.current?.setData(series as unknown as uPlot.AlignedData), [series[0].length, nowMs]);
  const label = `In the last 2 minutes: ${rate(received)} received and ${rate(sent)} sent per second now`;
  return <div class={isLarge ? 'chart chart-large' : 'chart'} ref={box} role="img" aria-label={label} />;
}

const color = (name: string) => () =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(
  size: { width: number; height: number },
  isLarge: boolean,
  end: () => number,
): uPlot.Options {
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    ...size,
    padding: isLarge ? [8, 18, 0, 0] : [2, 1, 2, 1],
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [(end() - CHART_MS) / 1000, end() / 1000] },
      y: { range: (_chart, _low, high) => [0, Math.max(1, (high ?? 0) * 1.15)] },
    },
    axes: [
      {
        ...axis,
        show: isLarge,
        size: 26,
        space: 70,
        splits: () => [120, 90, 60, 30, 0].map((ago) => end() / 1000 - ago),
        values: (_chart, splits) =>
          splits.map((split) => {
            const ago = Math.round(end() / 1000 - split);
            return ago === 0 ? 'now' : `−${ago} s`;
          }),
      },
      { ...axis, show: isLarge, size: 56, values: (_chart, splits) => splits.map((split) => rate(split)) },
    ],
    series: [
      {},
      {
        stroke: color('--received'),
        fill: color('--received-fill'),
        width: isLarge ? 2 : 1.25,
        points: { show: false },
      },
      { stroke: color('--sent'), width: isLarge ? 2 : 1.25, points: { show: false } },
    ],
  };
}

/** What the colors of the charts mean. */
export function ChartLegend({ received, sent }: { received: number; sent: number }) {
  return (
    <p class="legend">
      <span class="key key-received" /> received <b>{rate(received)}</b>/s
      <span class="key key-sent" /> sent <b>{rate(sent)}</b>/s
    </p>
  );
}
