import { expect, it } from 'vitest';
import { smallAllocatorEnvironment } from '../../../server/src/memory/small-allocator.js';

const MIB = 1024 * 1024;

it('starts serve again in a container of less than 256 MiB, with the other variables', () => {
  const env = smallAllocatorEnvironment(['serve', '--embedded-daemon'], 256 * MIB - 1, { PATH: '/bin' });
  expect(env).toEqual({ PATH: '/bin', MALLOC_MMAP_THRESHOLD_: '65536' });
});

it('does not start a process again that has the environment already', () => {
  const env = smallAllocatorEnvironment(['serve'], 128 * MIB, {});
  expect(smallAllocatorEnvironment(['serve'], 128 * MIB, env!)).toBeUndefined();
});

it.each(['MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_', 'GLIBC_TUNABLES'])(
  'leaves a process alone whose user has set %s',
  (name) => {
    expect(smallAllocatorEnvironment(['serve'], 128 * MIB, { [name]: '1' })).toBeUndefined();
  },
);

it.each([
  [['serve'], undefined],
  [['serve'], 256 * MIB],
  [['healthcheck'], 128 * MIB],
])('leaves %j with a container of %s bytes alone', (args, containerBytes) => {
  expect(smallAllocatorEnvironment(args, containerBytes, {})).toBeUndefined();
});
