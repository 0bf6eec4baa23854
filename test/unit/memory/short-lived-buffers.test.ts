import { describe, expect, it } from 'vitest';
import { freesBuffersLate, ShortLivedBuffers } from '../../../server/src/memory/short-lived-buffers.js';
import { until } from '../../support/until.js';

const MIB = 1024 * 1024;

it.each([
  ['11.3.244.8-node.38', false],
  ['12.4.254.21-node.33', false],
  ['13.6.233.17-node.41', true],
  ['14.6.202.34-node.20', true],
])('V8 %s frees short-lived buffers too late: %s', (version, expected) => {
  expect(freesBuffersLate(version)).toBe(expected);
});

describe('the young generation', () => {
  const counted = () => {
    const runs = { collections: 0 };
    const buffers = new ShortLivedBuffers(() => {
      runs.collections += 1;
    });
    return { runs, buffers };
  };

  it('is collected once after 16 MiB of payloads, at the end of the turn', async () => {
    const { runs, buffers } = counted();
    for (let i = 0; i < 15; i += 1) buffers.count(MIB);
    await new Promise(setImmediate);
    expect(runs.collections).toBe(0);
    for (let i = 0; i < 40; i += 1) buffers.count(MIB);
    expect(runs.collections).toBe(0);
    await until(() => runs.collections === 1);
    await new Promise(setImmediate);
    expect(runs.collections).toBe(1);
  });

  it('is collected again after the next 16 MiB', async () => {
    const { runs, buffers } = counted();
    buffers.count(16 * MIB);
    await until(() => runs.collections === 1);
    buffers.count(16 * MIB - 1);
    await new Promise(setImmediate);
    expect(runs.collections).toBe(1);
    buffers.count(1);
    await until(() => runs.collections === 2);
  });
});
