import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../../server/src/spread/address.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';

const tcp = (host: string, port = 4803) => ({ kind: 'tcp', host, port });
const unix = (path: string) => ({ kind: 'unix', path });

describe('parseAddress', () => {
  it.each([
    ['', unix('/tmp/4803')],
    ['4803', unix('/tmp/4803')],
    ['1', unix('/tmp/1')],
    ['04803', unix('/tmp/4803')],
    ['4803@localhost', tcp('localhost')],
    [
      '65535@spread-0.spread.default.svc.cluster.local',
      tcp('spread-0.spread.default.svc.cluster.local', 65_535),
    ],
    ['4803@my_host', tcp('my_host')],
    ['4803@host.', tcp('host.')],
    ['4803@127.0.0.1', tcp('127.0.0.1')],
    ['4803@::1', tcp('::1')],
    ['4803@[::1]', tcp('::1')],
    ['4803@fe80::1%eth0', tcp('fe80::1%eth0')],
    ['4803@[2001:db8::7]', tcp('2001:db8::7')],
    ['/run/spread/4803', unix('/run/spread/4803')],
  ])('%j', (name, address) => {
    expect(parseAddress(name, 'linux')).toEqual(address);
  });

  it('a port alone is TCP to this machine on Windows, as in Spread', () => {
    expect(parseAddress('4803', 'win32')).toEqual(tcp('localhost'));
    expect(parseAddress('', 'win32')).toEqual(tcp('localhost'));
  });

  it.each([
    ['0', '1..65535'],
    ['65536@localhost', '1..65535'],
    ['99999999999', undefined],
    ['-1', undefined],
    ['+4803', undefined],
    ['4803 ', undefined],
    ['4803:localhost', undefined],
    ['localhost', undefined],
    ['localhost:4803', undefined],
    ['@localhost', undefined],
    ['4803@', undefined],
    ['4803@ host', undefined],
    ['4803@a@b', undefined],
    ['4803@host\n', undefined],
    ['4803@münchen', undefined],
    ['4803@[::1', undefined],
    ['4803@::1]', undefined],
    ['4803@[localhost]', undefined],
    ['4803@[127.0.0.1]', undefined],
    ['4803@:::', undefined],
    [`4803@${'h'.repeat(254)}`, '1..253 characters'],
    [`/${'p'.repeat(103)}`, '1..103 bytes'],
    ['/tmp/', undefined],
    ['/tmp/a\0b', undefined],
  ])('%j is rejected', (name, bound) => {
    let error: unknown;
    try {
      parseAddress(name, 'linux');
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(SpreadError);
    expect(error).toMatchObject({
      code: 'ILLEGAL_SPREAD',
      number: -1,
      field: 'daemon',
      ...(bound && { bound }),
    });
    expect((error as Error).message.length).toBeLessThan(400);
  });
});

describe('formatAddress', () => {
  it.each(['4803', '1@localhost', '4803@::1', '/run/spread.sock', '/tmp/70000', '/tmp/x'])(
    '%j is formatted as it was parsed',
    (name) => {
      expect(formatAddress(parseAddress(name, 'linux'))).toBe(name);
    },
  );
});
