import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Invocation, programName, quoted } from '../../../server/src/cli/program-name.js';

const invoked = (how: Partial<Invocation>) =>
  programName({
    env: {},
    pid: 77,
    script: '/usr/local/bin/spread-sidecar',
    workingFolder: '/home/ann',
    ...how,
  });

describe('the name of the program in hints', () => {
  it.each<[string, Partial<Invocation>, string]>([
    ['a global install', {}, 'spread-sidecar'],
    ['npx', { env: { npm_command: 'exec' }, script: '/x/.bin/spread-sidecar' }, 'npx spread-sidecar'],
    ['npm start', { env: { npm_lifecycle_event: 'start' } }, 'npx spread-sidecar'],
    [
      'a script of the clone',
      { script: '/home/ann/clone/bin/spread-sidecar.mjs' },
      'node clone/bin/spread-sidecar.mjs',
    ],
    ['a script elsewhere', { script: '/opt/my app/main.js' }, "node '/opt/my app/main.js'"],
    ['a container', { pid: 1 }, `docker exec -it ${hostname()} spread-sidecar`],
    [
      'a pod',
      { pid: 1, env: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } },
      `kubectl exec -it ${hostname()} -c spread-sidecar -- spread-sidecar`,
    ],
    ['a container with an init process', { pid: 7 }, 'spread-sidecar'],
  ])('%s', (_, how, name) => {
    expect(invoked(how)).toBe(name);
  });

  it('quotes words for a shell where they need it', () => {
    expect(['/a/b-c.d', "it's", 'a b', '$HOME', '[::1]:4813'].map(quoted)).toEqual([
      '/a/b-c.d',
      "'it'\\''s'",
      "'a b'",
      "'$HOME'",
      '[::1]:4813',
    ]);
  });
});
