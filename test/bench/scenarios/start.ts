import { residentKiB } from '../process-meter.js';
import type { Scenario } from '../scenario.js';
import type { Server } from '../servers/server-process.js';
import type { Stage } from '../stage.js';

const REST_MS = 2000;

/** Starts the server of a subject. For the sidecar, the time excludes the daemon. */
async function start(id: string, stage: Stage): Promise<{ server: Server; ms: number }> {
  if (id.startsWith('sidecar-')) {
    const sidecar = await stage.sidecar(id === 'sidecar-inside' ? 'inside' : 'embedded');
    return { server: sidecar, ms: sidecar.readyMs };
  }
  const startedAt = performance.now();
  const server = await (id === 'nats'
    ? stage.nats()
    : id === 'redis'
      ? stage.redis()
      : stage.daemon('embedded'));
  return { server, ms: performance.now() - startedAt };
}

const starting: Scenario = {
  id: 'start',
  text: 'The time from the start of a new process until it accepts connections; for a sidecar, until /readyz succeeds. Then the resident memory of the process, after two seconds without work.',
  figures: [
    { name: 'ready', unit: 'ms', better: 'less' },
    { name: 'memory', unit: 'MiB', better: 'less' },
  ],
  subjects: ['sidecar-embedded', 'sidecar-inside', 'session-embedded', 'nats', 'redis'],
  quickSubjects: ['sidecar-inside'],
  async run(subject, stage, { quick }) {
    const fresh = stage.fresh();
    try {
      const { server, ms } = await start(subject.id, fresh);
      await new Promise((resolve) => setTimeout(resolve, quick ? 100 : REST_MS));
      const memory = residentKiB(server.pid);
      return { figures: { ready: ms, ...(memory === undefined ? {} : { memory: memory / 1024 }) } };
    } finally {
      await fresh.close();
    }
  },
};

export const START: readonly Scenario[] = [starting];
