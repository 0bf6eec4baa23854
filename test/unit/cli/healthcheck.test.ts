import { describe, expect, it } from 'vitest';
import { targetOf } from '../../../server/src/cli/commands/healthcheck.js';

const tcp = (host: string, port = 4813) => ({ kind: 'tcp' as const, host, port });

describe('where healthcheck asks', () => {
  it.each([
    [[], '127.0.0.1:4813'],
    [[tcp('127.0.0.1', 1)], '127.0.0.1:1'],
    [[tcp('0.0.0.0')], '127.0.0.1:4813'],
    [[tcp('::')], '[::1]:4813'],
    [[tcp('::1')], '[::1]:4813'],
    [[tcp('node7')], 'node7:4813'],
    [[{ kind: 'unix' as const, path: '/run/s' }, tcp('127.0.0.1')], 'unix:/run/s'],
  ])('%j: %s', (listen, target) => {
    expect(targetOf(listen)).toBe(target);
  });
});
