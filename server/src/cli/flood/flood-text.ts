import type { FloodReport } from './flood-tally.js';

const whole = (value: number) => Math.round(value).toLocaleString('en-US');
const ms = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;

/** The report as text for people. */
export function reportToText(report: FloodReport): string {
  const rows: [string, string][] = [
    ['sent', `${whole(report.sent)} messages, ${whole(report.sentPerSecond)} per second`],
    [
      'received',
      `${whole(report.received)} of ${whole(report.expected)}, ${whole(report.receivedPerSecond)} per second`,
    ],
    ['throughput', `${report.megabytesPerSecond.toFixed(1)} MB/s over ${report.seconds.toFixed(2)} s`],
  ];
  if (report.latencyMs) {
    const { mean, max, ...percentiles } = report.latencyMs;
    const parts = Object.entries(percentiles).map(([name, value]) => `${name} ${ms(value)}`);
    rows.push(['latency', `${parts.join(', ')}, max ${ms(max)} (mean ${ms(mean)})`]);
  }
  if (report.refused > 0) rows.push(['refused', whole(report.refused)]);
  if (report.lost > 0) rows.push(['LOST', whole(report.lost)]);
  if (report.outOfOrder > 0) rows.push(['OUT OF ORDER', whole(report.outOfOrder)]);
  return rows.map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n');
}
