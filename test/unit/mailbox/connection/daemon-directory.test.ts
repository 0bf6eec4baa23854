import { describe, expect, it } from 'vitest';
import { DaemonDirectory } from '../../../../server/src/mailbox/connection/daemon-directory.js';
import { formatAddress } from '../../../../server/src/spread/address.js';

const directory = new DaemonDirectory(
  ['4803', '4803@node1', '4803@Node2.example'],
  ['4804@127.0.0.1', '4803@::1', '/run/spread/socket'],
);

function names(requested: string): string[] {
  return directory.candidates(requested).map(formatAddress);
}

describe('DaemonDirectory', () => {
  it('uses the default list, in its order, without a request', () => {
    expect(names('')).toEqual(['4803', '4803@node1', '4803@Node2.example']);
  });

  it('allows a default daemon, and only that one, by its name', () => {
    expect(names('4803@node1')).toEqual(['4803@node1']);
  });

  it.each([
    ['4803', '4803'],
    ['/tmp/4803', '4803'],
    ['4803@NODE2.EXAMPLE', '4803@NODE2.EXAMPLE'],
    ['4804@127.0.0.1', '4804@127.0.0.1'],
    ['4803@[::1]', '4803@::1'],
    ['/run/spread/socket', '/run/spread/socket'],
  ])('allows %s', (requested, found) => {
    expect(names(requested)).toEqual([found]);
  });

  it.each([
    '4804',
    '4804@node1',
    '4803@127.0.0.1',
    '4803@node3',
    '4803@node1.',
    '/run/spread/other',
    '/run/spread/../spread/socket',
    '/etc/passwd',
  ])('rejects %s: a sidecar must not act as an open proxy', (requested) => {
    expect(() => names(requested)).toThrow(
      expect.objectContaining({ reason: 'DAEMON_NOT_ALLOWED', metadata: { field: 'daemon' } }),
    );
  });

  it.each(['nonsense', '0', '70000', '4803@', '4803@a b', '@host'])(
    'rejects %s as an invalid Spread name',
    (requested) => {
      expect(() => names(requested)).toThrow(expect.objectContaining({ code: 'ILLEGAL_SPREAD' }));
    },
  );
});
