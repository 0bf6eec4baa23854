import { expect, it } from 'vitest';
import { heapGrowthPercent } from '../../../server/src/memory/heap-growth.js';

const MIB = 1024 * 1024;

it.each([
  [undefined, 300],
  [512 * MIB, 300],
  [256 * MIB, 300],
  [256 * MIB - 1, 50],
  [128 * MIB, 50],
])('with a container of %s bytes the heap may grow by %i percent', (containerBytes, percent) => {
  expect(heapGrowthPercent(containerBytes)).toBe(percent);
});
