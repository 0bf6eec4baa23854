import { LoadMeter, loadFigures } from '../load.js';
import { RoleProcess } from '../role-process.js';
import type { Scenario } from '../scenario.js';

const PER_SECOND = 1000;

const churn: Scenario = {
  id: 'churn',
  text: 'One connection alternately joins and leaves a group, and waits for its own view each time. With NATS and Redis, it waits for the response of the server. Pairs of join and leave per second.',
  figures: [
    { name: 'cycles', unit: '1/s', better: 'more' },
    ...['peer', 'sidecar', 'daemon', 'server'].map(
      (name) => ({ name: `${name} CPU`, unit: 'µs/cycle', better: 'less' }) as const,
    ),
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
    const warmUp = Math.round(count / 5);
    const role = await RoleProcess.start(stage.node, {
      ...{ job: 'churn', peer: opened.peer, topic: stage.freshName('churn'), count, warmUp },
    });
    try {
      const meter = new LoadMeter(opened.servers);
      role.go();
      const { seconds, cpuSeconds } = await role.answer();
      const cpu = { peer: cpuSeconds, ...meter.cpuSeconds() };
      const { load, figures } = loadFigures(cpu, meter.seconds, count + warmUp);
      await role.stop();
      return { figures: { cycles: count / seconds, ...figures }, load };
    } finally {
      await role.end();
    }
  },
};

export const CHURN: readonly Scenario[] = [churn];
