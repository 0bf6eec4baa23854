import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type Invocation, programName, quoted } from '../../../server/src/cli/program-name.js';

const invoked = (how: Partial<Invocation>) =>
  programName({
    env: {},
    pid: 77,
    script: '/usr/local/bin/spread-sidecar',
    workingFolder: '/home/ann',
    mounts: '',
    ...how,
  });

const ID = '46dfdb25e4c6'.padEnd(64, '0');
const mount = (from: string, to: string) => `94 76 254:0 ${from} ${to} rw,relatime - ext4 /dev/vda rw\n`;

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
    [
      'a Docker container, whatever its host name is',
      { pid: 1, mounts: mount(`/var/lib/docker/containers/${ID}/hostname`, '/etc/hostname') },
      'docker exec -it 46dfdb25e4c6 spread-sidecar',
    ],
    [
      'a Podman container',
      {
        pid: 1,
        mounts: mount(`/containers/storage/overlay-containers/${ID}/userdata/hosts`, '/etc/hosts'),
      },
      'podman exec -it 46dfdb25e4c6 spread-sidecar',
    ],
    [
      'a container of nerdctl',
      {
        pid: 1,
        mounts: mount(`/var/lib/nerdctl/1935db59/containers/default/${ID}/resolv.conf`, '/etc/resolv.conf'),
      },
      'nerdctl exec -it 46dfdb25e4c6 spread-sidecar',
    ],
    ['a container of an unknown engine', { pid: 1 }, 'spread-sidecar'],
    [
      'a pod whose service links are off',
      { pid: 1, mounts: mount('/var/lib/kubelet/pods/1b4e28ba/etc-hosts', '/etc/hosts') },
      `kubectl exec -it ${hostname()} -c spread-sidecar -- spread-sidecar`,
    ],
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
