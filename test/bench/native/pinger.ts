import { CTool } from './c-tool.js';
import { untilMembers } from './observer.js';

const ANSWER = / time = ([\d.]+) ms$/;

/** The round trip in a line that spping prints, in microseconds. */
export function roundTripOf(line: string): number | undefined {
  const match = ANSWER.exec(line);
  return match ? Number(match[1]) * 1000 : undefined;
}

export interface PingOptions {
  readonly spreadName: string;
  readonly daemonPort: number;
  readonly group: string;
  readonly size: number;
  readonly warmUp: number;
  readonly count: number;
  readonly periodMs: number;
}

/** The round trips between one spping and a reflecting spping in microseconds, without the warm-up. */
export async function nativePing(options: PingOptions): Promise<readonly number[]> {
  const { spreadName, daemonPort, group, size, warmUp, count, periodMs } = options;
  const samples: number[] = [];
  const reflector = new CTool('spping', ['-u', 'reflector', '-s', spreadName, '-g', group, '-ro'], () => {});
  try {
    await untilMembers(daemonPort, group, 1);
    const numbers = ['-p', String(periodMs), '-b', String(size), '-m', String(warmUp + count)];
    const pinger = new CTool(
      'spping',
      ['-u', 'pinger', '-s', spreadName, '-g', group, ...numbers],
      (line) => {
        const microseconds = roundTripOf(line);
        if (microseconds !== undefined) samples.push(microseconds);
      },
    );
    await pinger.exited.finally(() => pinger.end());
  } finally {
    await reflector.end();
  }
  return samples.slice(warmUp);
}
