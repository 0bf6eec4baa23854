import { RoleProcess } from '../role-process.js';
import type { Scenario } from '../scenario.js';
import { AFTER_WARM_UP, measuredBy, WARM_UP, warmUpRule } from './measured.js';

const PER_SECOND = 1000;

const churn: Scenario = {
  id: 'churn',
  text: `One connection alternately joins and leaves a group, and waits for its own view each time. With NATS and Redis, the connection waits for the response of the server. Pairs of join and leave per second, ${AFTER_WARM_UP}.`,
  figures: [
    { name: 'cycles', unit: '1/s', better: 'more' },
    ...['peer', 'sidecar', 'daemon', 'server'].map(
      (name) => ({ name: `${name} CPU`, unit: 'µs/cycle', better: 'less' }) as const,
    ),
    WARM_UP,
  ],
  subjects: [
    'session-real',
    'session-embedded',
    'sidecar-real',
    'sidecar-embedded',
    'sidecar-inside',
    'nats',
    'redis',
  ],
  quickSubjects: ['session-embedded', 'sidecar-inside'],
  async run(subject, stage, effort) {
    const opened = await subject.open(stage);
    if (opened.kind === 'native') throw new Error('the C tools cannot join and leave on request');
    const count = Math.max(100, Math.round(PER_SECOND * effort.seconds));
    const measured = { warmUp: warmUpRule(PER_SECOND, effort), count };
    const role = await RoleProcess.start(stage.node, {
      ...{ job: 'churn', peer: opened.peer, topic: stage.freshName('churn'), measured },
    });
    try {
      role.go();
      const processes = [{ name: 'peer', pid: role.pid }, ...opened.servers];
      const { seconds, load, figures } = await measuredBy(role, processes, count);
      await role.stop();
      return { figures: { cycles: count / seconds, ...figures }, load };
    } finally {
      await role.end();
    }
  },
};

export const CHURN: readonly Scenario[] = [churn];
