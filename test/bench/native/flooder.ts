import { CpuWatch } from '../process-meter.js';
import { CTool } from './c-tool.js';
import { untilMembers } from './observer.js';

const GROUP = 'flooder';
const PROGRESS = /^flooder: completed\s+(\d+) messages/;

/** The number of messages that a spflooder reports; it reports every thousand messages. */
export function progressOf(line: string): number | undefined {
  const match = PROGRESS.exec(line);
  return match ? Number(match[1]) : undefined;
}

export interface FloodOptions {
  readonly spreadName: string;
  readonly daemonPort: number;
  readonly receivers: number;
  readonly size: number;
  /** Number of warm-up messages, in thousands. */
  readonly warmUp: number;
  readonly count: number;
}

export interface FloodResult {
  /** Time from the `warmUp`th message of the slowest receiver until all receivers have all messages. */
  readonly seconds: number;
  /** Time from the start of the sender to the end of the last process. */
  readonly wholeSeconds: number;
  /** Processor seconds during `wholeSeconds`. */
  readonly cpu: Readonly<Record<string, number>>;
}

/**
 * One `spflooder -wo` sends to several `spflooder -ro`, each in its own process. The daemon alone controls the
 * flow.
 */
export async function flood(options: FloodOptions): Promise<FloodResult> {
  const { spreadName, daemonPort, receivers, size, warmUp, count } = options;
  const common = ['-s', spreadName, '-b', String(size), '-m', String(warmUp + count)];
  let warm = 0;
  let from = 0;
  let to = 0;
  const onLine = (line: string, at: number) => {
    const done = progressOf(line);
    if (done === warmUp) {
      warm += 1;
      if (warm === receivers) from = at;
    }
    if (done === warmUp + count) to = at;
  };
  const tools = Array.from(
    { length: receivers },
    (_, number) => new CTool('spflooder', ['-u', `r${number}`, '-ro', ...common], onLine),
  );
  const receiving = [...tools];
  try {
    await untilMembers(daemonPort, GROUP, receivers);
    const startedAt = performance.now();
    const writer = new CTool('spflooder', ['-u', 'w', '-wo', ...common], () => {});
    tools.push(writer);
    // Sampling uses processor time, so many receivers are sampled less often.
    const everyMs = receivers > 20 ? 100 : 20;
    const watches = [
      new CpuWatch([writer.pid], everyMs),
      new CpuWatch(
        receiving.map(({ pid }) => pid),
        everyMs,
      ),
    ] as const;
    try {
      await Promise.all(tools.map(({ exited }) => exited));
    } finally {
      for (const watch of watches) watch.stop();
    }
    return {
      seconds: (to - from) / 1000,
      wholeSeconds: (performance.now() - startedAt) / 1000,
      cpu: { sender: watches[0].stop(), receiver: watches[1].stop() },
    };
  } finally {
    await Promise.all(tools.map((tool) => tool.end()));
  }
}

/**
 * One spflooder that receives its own messages, at most 200 messages ahead. Without flags, spflooder controls its
 * flow this way.
 */
export async function floodLoop(
  options: Omit<FloodOptions, 'receivers' | 'daemonPort'>,
): Promise<FloodResult> {
  const { spreadName, size, warmUp, count } = options;
  let from = 0;
  let to = 0;
  const args = ['-u', 'loop', '-s', spreadName, '-b', String(size), '-m', String(warmUp + count)];
  const tool = new CTool('spflooder', args, (line, at) => {
    const done = progressOf(line);
    if (done === warmUp) from = at;
    if (done === warmUp + count) to = at;
  });
  const startedAt = performance.now();
  const watch = new CpuWatch([tool.pid], 20);
  try {
    await tool.exited;
    return {
      seconds: (to - from) / 1000,
      wholeSeconds: (performance.now() - startedAt) / 1000,
      cpu: { peer: watch.stop() },
    };
  } finally {
    watch.stop();
    await tool.end();
  }
}
