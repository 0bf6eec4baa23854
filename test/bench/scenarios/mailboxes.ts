import { cpuSeconds, residentKiB } from '../process-meter.js';
import { RoleProcess } from '../role-process.js';
import type { PeerSpec } from '../roles/order.js';
import { messageCount, type Scenario } from '../scenario.js';
import type { Stage } from '../stage.js';
import { peerFlow } from './flow.js';
import { AFTER_WARM_UP, WARM_UP, warmUpRule } from './measured.js';
import { CPU_FIGURES } from './throughput.js';

const SIZE = 100;
const PER_SECOND = 60_000;
const COST = { name: 'sidecar CPU', unit: 'µs/message', better: 'less' } as const;
const FIGURES = [
  { name: 'messages', unit: '1/s', better: 'more' } as const,
  COST,
  ...CPU_FIGURES.filter(({ name }) => name !== COST.name),
  WARM_UP,
];

/** Sends to all mailboxes in turn, or to one of them while the others are idle members of their groups. */
function mailboxes(count: number, traffic: 'all' | 'one', quick: boolean): Scenario {
  const receivers =
    count === 1 ? 'one receiving mailbox in a group' : `${count} receiving mailboxes, each in its own group`;
  const where =
    traffic === 'one'
      ? 'to one group; the other mailboxes are idle'
      : count === 1
        ? 'to this group'
        : 'to each group in turn';
  return {
    id: `mailboxes-${count}${traffic === 'one' ? '-idle' : ''}`,
    text: `One process has ${receivers}. One sender sends messages of ${SIZE} bytes ${where}. Messages per second, and processor time per message, ${AFTER_WARM_UP}.`,
    figures: FIGURES,
    subjects: traffic === 'all' ? ['sidecar-embedded', 'nats'] : ['sidecar-embedded'],
    quickSubjects: quick ? ['sidecar-embedded'] : [],
    async run(subject, stage, effort) {
      const opened = await subject.open(stage);
      if (opened.kind === 'native') throw new Error('spflooder has one group');
      const messages = messageCount(PER_SECOND, effort);
      const flow = {
        size: SIZE,
        count: messages,
        warmUp: warmUpRule(PER_SECOND, effort),
        each: 'share',
      } as const;
      const names = Array.from({ length: count }, () => stage.freshName('m'));
      const idle = traffic === 'one' ? names.slice(1) : [];
      const holder = idle.length > 0 ? await startHolder(stage, opened.peer, idle) : undefined;
      try {
        const topics = traffic === 'one' ? names.slice(0, 1) : names;
        const { seconds, figures, load } = await peerFlow(stage, opened, { ...flow, topics });
        await holder?.stop();
        return { figures: { ...figures, messages: messages / seconds }, load };
      } finally {
        await holder?.end();
      }
    },
  };
}

async function startHolder(stage: Stage, peer: PeerSpec, topics: readonly string[]): Promise<RoleProcess> {
  const holder = await RoleProcess.start(stage.node, { job: 'hold', peer, topics });
  holder.go();
  return holder;
}

const IDLE_MAILBOXES = 500;
/**
 * Mailboxes that are open before the measurement. They grow the heap for the first time, which is not a cost of
 * each further mailbox.
 */
const EARLIER_MAILBOXES = 250;
/** Pause after mailboxes were opened. */
const REST_MS = 2000;
/** Pause after which V8 has noticed the idle time and has collected garbage. */
const SETTLED_MS = 20_000;

const idleCost: Scenario = {
  id: 'mailboxes-idle-cost',
  text: `A sidecar has ${EARLIER_MAILBOXES} mailboxes, with the embedded daemon as its own process. A client opens ${IDLE_MAILBOXES} more mailboxes, each with an idle Receive stream and in its own group. Resident memory and processor time of the sidecar for each further mailbox. The memory is measured directly after the mailboxes are open (at first), and after a garbage collection.`,
  figures: [
    { name: 'memory', unit: 'KiB/mailbox', better: 'less' },
    { name: 'memory at first', unit: 'KiB/mailbox', better: 'less' },
    { name: 'CPU', unit: 'µs/s/mailbox', better: 'less' },
  ],
  subjects: ['sidecar-embedded'],
  quickSubjects: [],
  async run(_subject, stage, effort) {
    // A fresh process for each round: free heap of earlier mailboxes would hide the memory of new ones.
    const fresh = stage.fresh();
    try {
      const sidecar = await fresh.sidecar('embedded');
      const peer = { kind: 'sidecar', target: sidecar.unixTarget, sends: 'concurrent' } as const;
      const topics = Array.from({ length: IDLE_MAILBOXES }, () => fresh.freshName('i'));
      const earlier = Array.from({ length: EARLIER_MAILBOXES }, () => fresh.freshName('e'));
      const first = await startHolder(stage, peer, earlier);
      await rest(REST_MS);
      const beforeAtFirst = residentKiB(sidecar.pid);
      await rest(SETTLED_MS);
      const before = residentKiB(sidecar.pid);
      const holder = await startHolder(stage, peer, topics);
      try {
        await rest(REST_MS);
        const afterAtFirst = residentKiB(sidecar.pid);
        await rest(SETTLED_MS);
        const after = residentKiB(sidecar.pid);
        const cpuBefore = cpuSeconds(sidecar.pid);
        await rest(effort.seconds * 1000);
        const cpuAfter = cpuSeconds(sidecar.pid);
        const memory = perMailbox(before, after);
        const atFirst = perMailbox(beforeAtFirst, afterAtFirst);
        const cpu = ((cpuAfter ?? 0) - (cpuBefore ?? 0)) / effort.seconds;
        return {
          figures: { memory, 'memory at first': atFirst, CPU: (cpu * 1e6) / IDLE_MAILBOXES },
        };
      } finally {
        await Promise.all([holder.stop(), first.stop()]);
      }
    } finally {
      await fresh.close();
    }
  },
};

function perMailbox(before: number | undefined, after: number | undefined): number {
  if (before === undefined || after === undefined) throw new Error('/proc does not tell memory here');
  return (after - before) / IDLE_MAILBOXES;
}

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export const MAILBOXES: readonly Scenario[] = [
  mailboxes(1, 'all', true),
  mailboxes(10, 'all', false),
  mailboxes(100, 'all', true),
  mailboxes(500, 'all', false),
  mailboxes(500, 'one', false),
  idleCost,
];
