import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LoadMeter, loadFigures } from '../load.js';
import type { Scenario } from '../scenario.js';
import { MODULE_SUBJECTS, moduleOf } from '../subjects.js';

const SIZE = 100;
const COUNT = 50_000;
const QUICK_COUNT = 2000;
/** A program that takes longer counts as stalled. */
const PATIENCE_MS = 120_000;

/** The output of the program. Unit: s. */
interface Times {
  readonly multicast: number;
  readonly receive: number;
  readonly all: number;
  readonly cpu: number;
}

const module: Scenario = {
  id: 'module-spread',
  text: `A Python program uses the module spread of the Python package, or the original C wrapper. It sends ${COUNT.toLocaleString('en-US')} messages of ${SIZE} bytes with multicast(), waits until the daemon has them, and receives them with receive(). Each measurement has a new process; Unix sockets. Messages per second of each half, and from the first multicast() to the last receive().`,
  figures: [
    { name: 'receive', unit: '1/s', better: 'more' },
    { name: 'multicast', unit: '1/s', better: 'more' },
    { name: 'all', unit: '1/s', better: 'more' },
    ...['program', 'sidecar', 'daemon'].map(
      (name) => ({ name: `${name} CPU`, unit: 'µs/message', better: 'less' }) as const,
    ),
  ],
  subjects: MODULE_SUBJECTS.map(({ id }) => id),
  quickSubjects: ['module-embedded'],
  async run(subject, stage, { quick }) {
    const { daemon: kind, isWrapper } = moduleOf(subject);
    const daemon = await stage.daemon(kind);
    const sidecar = isWrapper ? undefined : await stage.sidecar(kind);
    const count = quick ? QUICK_COUNT : COUNT;
    const { command, args, cwd, env } = moduleOf(subject).program([
      String(daemon.port),
      String(count),
      String(SIZE),
    ]);
    const meter = new LoadMeter(sidecar ? [sidecar, daemon] : [daemon]);
    const { stdout } = await promisify(execFile)(command, [...args], {
      cwd,
      timeout: PATIENCE_MS,
      env: {
        ...process.env,
        ...env,
        ...(sidecar && { SPREAD_SIDECAR_TARGET: sidecar.unixTarget, SPREAD_CLIENT_DAEMON: '' }),
      },
    });
    const { multicast, receive, all, cpu } = JSON.parse(stdout) as Times;
    const used = loadFigures({ program: cpu, ...meter.cpuSeconds() }, all, count);
    const figures = { receive: count / receive, multicast: count / multicast, all: count / all };
    return { figures: { ...figures, ...used.figures }, load: used.load };
  },
};

export const MODULE: readonly Scenario[] = [module];
