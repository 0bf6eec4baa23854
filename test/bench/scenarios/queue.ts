import { LoadMeter, loadFigures } from '../load.js';
import { cpuSeconds } from '../process-meter.js';
import { RoleProcess } from '../role-process.js';
import type { PeerSpec } from '../roles/order.js';
import type { Scenario } from '../scenario.js';
import type { Server } from '../servers/server-process.js';
import type { Sidecar } from '../servers/servers.js';
import type { Stage } from '../stage.js';
import type { Opened } from '../subjects.js';
import { AFTER_WARM_UP, measuredBy, WARM_UP, warmUpRule } from './measured.js';

const SIZE = 100;
const DEPTH = 500_000;
const DEEP = 1_000_000;
/** Number of messages that are counted at an empty queue and at a deep one. */
const PROBE = 200_000;
const WIDE_QUEUES = [
  ...['--mailbox-queue-max-events', '4000000', '--mailbox-queue-max-bytes', '2GiB'],
  ...['--mailbox-total-queue-max-bytes', '2GiB', '--mailbox-lease-max', '1h'],
];

/** Sends messages to a topic, and waits until the daemon has them. */
async function fill(stage: Stage, peer: PeerSpec, topic: string, count: number): Promise<void> {
  const sender = await RoleProcess.start(stage.node, {
    ...{ job: 'send', peer, topics: [topic], size: SIZE, count, window: 0 },
  });
  try {
    sender.go();
    await sender.answer();
    await sender.stop();
  } finally {
    await sender.end();
  }
}

/** Waits until a process is nearly idle. */
async function untilIdle(server: Server): Promise<void> {
  for (let before = cpuSeconds(server.pid) ?? 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = cpuSeconds(server.pid) ?? 0;
    if (now - before < 0.02) return;
    before = now;
  }
}

interface Filled {
  readonly sidecar: Sidecar;
  readonly sender: PeerSpec;
  readonly topic: string;
}

/**
 * A mailbox that receives nothing until the message `take`. The daemon and the sidecar run in their own processes.
 */
async function withDrain<Result>(
  stage: Stage,
  raw: boolean,
  use: (drain: RoleProcess, filled: Filled) => Promise<Result>,
): Promise<Result> {
  const fresh = stage.fresh();
  try {
    const daemon = await fresh.daemon('embedded');
    const sidecar = await fresh.sidecar('embedded', WIDE_QUEUES);
    const topic = fresh.freshName('deep');
    const target = sidecar.unixTarget;
    const drain = await RoleProcess.start(stage.node, { job: 'drain', target, topic, raw });
    try {
      drain.go();
      const sender: PeerSpec = { kind: 'session', address: String(daemon.port) };
      const result = await use(drain, { sidecar, sender, topic });
      await drain.stop();
      return result;
    } finally {
      await drain.end();
    }
  } finally {
    await fresh.close();
  }
}

function draining(id: string, raw: boolean): Scenario {
  const reader = raw ? 'A client that only counts events' : 'The TypeScript client';
  return {
    id,
    text: `${reader} reads ${DEPTH.toLocaleString('en-US')} queued messages of ${SIZE} bytes with one Receive. Each measurement has a new sidecar.`,
    figures: [
      { name: 'events', unit: '1/s', better: 'more' },
      { name: 'sidecar CPU', unit: 'µs/message', better: 'less' },
      { name: 'receiver CPU', unit: 'µs/message', better: 'less' },
    ],
    subjects: ['sidecar-embedded'],
    quickSubjects: ['sidecar-embedded'],
    run: (_subject, stage, { quick }) =>
      withDrain(stage, raw, async (drain, { sidecar, sender, topic }) => {
        const depth = quick ? DEPTH / 25 : DEPTH;
        await fill(stage, sender, topic, depth);
        await untilIdle(sidecar);
        const meter = new LoadMeter([sidecar]);
        drain.take(depth);
        const { seconds, cpuSeconds: receiver } = await drain.answer();
        const used = loadFigures({ receiver, ...meter.cpuSeconds() }, meter.seconds, depth);
        return { figures: { events: depth / seconds, ...used.figures }, load: used.load };
      }),
  };
}

const deepQueue: Scenario = {
  id: 'deep-queue',
  text: `Processor time of the sidecar per message, with an empty queue (empty) and behind ${DEEP.toLocaleString('en-US')} queued messages (deep). The measurement reads ${PROBE.toLocaleString('en-US')} messages of ${SIZE} bytes. The client counts the events and does not decode them.`,
  figures: [
    { name: 'deep against empty', unit: '×', better: 'less' },
    { name: 'empty', unit: 'µs/message', better: 'less' },
    { name: 'deep', unit: 'µs/message', better: 'less' },
  ],
  subjects: ['sidecar-embedded'],
  quickSubjects: ['sidecar-embedded'],
  run: (_subject, stage, { quick }) =>
    withDrain(stage, true, async (drain, { sidecar, sender, topic }) => {
      const [probe, deep] = quick ? [PROBE / 10, DEEP / 50] : [PROBE, DEEP];
      const used = async (work: () => Promise<unknown>) => {
        const before = cpuSeconds(sidecar.pid);
        await work();
        await untilIdle(sidecar);
        const after = cpuSeconds(sidecar.pid);
        if (before === undefined || after === undefined) throw new Error('/proc does not tell CPU time here');
        return ((after - before) * 1e6) / probe;
      };
      const cost = async () => {
        const comes = await used(() => fill(stage, sender, topic, probe));
        const goes = await used(async () => {
          drain.take(probe);
          await drain.answer();
        });
        return comes + goes;
      };
      await cost();
      const empty = await cost();
      await fill(stage, sender, topic, deep);
      await untilIdle(sidecar);
      const full = await cost();
      return { figures: { empty, deep: full, 'deep against empty': full / empty } };
    }),
};

const ACCEPTED_PER_SECOND = 150_000;

const accepted: Scenario = {
  id: 'accepted',
  text: `One process sends messages of ${SIZE} bytes over MulticastStream to a group without members, on the embedded daemon. Messages per second that the sidecar passes to the daemon, ${AFTER_WARM_UP}.`,
  figures: [
    { name: 'messages', unit: '1/s', better: 'more' },
    ...['sender', 'sidecar', 'daemon'].map(
      (name) => ({ name: `${name} CPU`, unit: 'µs/message', better: 'less' }) as const,
    ),
    WARM_UP,
  ],
  subjects: ['session-embedded', 'sidecar-embedded', 'sidecar-inside'],
  quickSubjects: ['sidecar-embedded'],
  async run(subject, stage, effort) {
    const opened = (await subject.open(stage)) as Extract<Opened, { kind: 'peer' }>;
    const count = Math.round(ACCEPTED_PER_SECOND * effort.seconds);
    const measured = { warmUp: warmUpRule(ACCEPTED_PER_SECOND, effort), count };
    const topic = stage.freshName('nobody');
    const role = await RoleProcess.start(stage.node, {
      ...{ job: 'accept', peer: opened.peer, topic, size: SIZE, measured },
    });
    try {
      role.go();
      const processes = [{ name: 'sender', pid: role.pid }, ...opened.servers];
      const { seconds, load, figures } = await measuredBy(role, processes, count);
      await role.stop();
      return { figures: { messages: count / seconds, ...figures }, load };
    } finally {
      await role.end();
    }
  },
};

export const QUEUE: readonly Scenario[] = [
  draining('drain', false),
  draining('drain-raw', true),
  deepQueue,
  accepted,
];
