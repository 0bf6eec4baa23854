import { describe, expect, it } from 'vitest';
import { addressFor, targetOf } from '../../../server/src/cli/connection/own-sidecar.js';

const tcp = (host: string, port = 4813) => ({ kind: 'tcp' as const, host, port });

describe('the address by which a command reaches the sidecar beside it', () => {
  it.each([
    [[tcp('127.0.0.1', 1)], '127.0.0.1:1'],
    [[tcp('0.0.0.0')], '127.0.0.1:4813'],
    [[tcp('::')], '127.0.0.1:4813'],
    [[tcp('::1')], '[::1]:4813'],
    [[tcp('node7')], 'node7:4813'],
    [[tcp('127.0.0.1'), { kind: 'unix' as const, path: '/run/s' }], 'unix:/run/s'],
  ])('%j: %s', (listen, target) => {
    expect(targetOf(addressFor(listen))).toBe(target);
  });
});
