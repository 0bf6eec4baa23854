import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  listenAddress,
  socketPath,
  spreadName,
  tcpAddress,
} from '../../../server/src/config/values/addresses.js';
import {
  byteSize,
  duration,
  fileMode,
  fraction,
  integer,
} from '../../../server/src/config/values/numbers.js';
import { Refusal, type ValueType } from '../../../server/src/config/values/value-type.js';
import { boolean, listOf, oneOf, orEmpty, token, wordOr } from '../../../server/src/config/values/words.js';

const anyDuration = duration({ min: '0s', max: '24h' });
const anySize = byteSize({ min: '0', max: '1024GiB' });

function refusal(type: ValueType<unknown>, text: string): string {
  try {
    type.parse(text);
  } catch (error) {
    if (error instanceof Refusal) return error.hint;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was taken`);
}

describe('valid texts', () => {
  const rows: [string, ValueType<unknown>, string, unknown, string?][] = [
    ['duration in ms', anyDuration, '500ms', 500],
    ['duration in s', anyDuration, '30s', 30_000],
    ['duration in m', anyDuration, '1m', 60_000],
    ['duration in h', anyDuration, '2h', 7_200_000],
    ['compound duration', anyDuration, '1m30s', 90_000, '90s'],
    ['decimal duration', anyDuration, '1.5s', 1500, '1500ms'],
    ['zero', anyDuration, '0s', 0],
    ['the most a float must not spoil', anyDuration, '4.35s', 4350, '4350ms'],
    ['MiB', anySize, '64MiB', 67_108_864],
    ['Mi', anySize, '64Mi', 67_108_864, '64MiB'],
    ['GB', anySize, '1GB', 1e9, '1000000000'],
    ['kB', anySize, '3kB', 3000, '3000'],
    ['bytes', anySize, '262144', 262_144, '256KiB'],
    ['decimal size', anySize, '1.5KiB', 1536, '1536'],
    ['a blank before the unit', anySize, '4 MiB', 4_194_304, '4MiB'],
    ['integer', integer({ min: '0', max: '100' }), '42', 42],
    ['fraction', fraction({ min: '0', max: '1' }), '0.8', 0.8],
    ['file mode', fileMode({ min: '0600', max: '0777' }), '0660', 0o660],
    ['file mode without zero', fileMode({ min: '0600', max: '0777' }), '660', 0o660, '0660'],
    ['file mode as YAML writes it', fileMode({ min: '0600', max: '0777' }), '0o660', 0o660, '0660'],
    ['boolean', boolean, 'false', false],
    ['word', oneOf('pause', 'disconnect'), 'pause', 'pause'],
    ['word or value: word', wordOr(['off'], anyDuration), 'off', 'off'],
    ['word or value: value', wordOr(['off'], anyDuration), '5s', 5000],
    ['IPv4', tcpAddress, '127.0.0.1:4814', { kind: 'tcp', host: '127.0.0.1', port: 4814 }],
    ['IPv6', tcpAddress, '[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
    ['name', tcpAddress, 'localhost:65535', { kind: 'tcp', host: 'localhost', port: 65535 }],
    ['Unix socket', listenAddress, 'unix:/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['path', listenAddress, '/run/x.sock', { kind: 'unix', path: '/run/x.sock' }, 'unix:/run/x.sock'],
    ['longest path', socketPath, `/${'x'.repeat(106)}`, `/${'x'.repeat(106)}`],
    ['spread port', spreadName, '4803', '4803'],
    ['spread port and host', spreadName, '4803@node-1.example', '4803@node-1.example'],
    ['spread port and IPv6', spreadName, '4803@::1', '4803@::1'],
    ['spread port and IPv6 in brackets', spreadName, '4803@[::1]', '4803@[::1]'],
    ['spread socket', spreadName, '/tmp/4803', '/tmp/4803'],
    ['shortest token', token, 'x'.repeat(16), 'x'.repeat(16)],
    ['longest token', token, 'x'.repeat(512), 'x'.repeat(512)],
    ['no token', orEmpty(token), '', ''],
    ['list', listOf(spreadName, { min: 0, max: 3 }), ' 4803 , 4804@b', ['4803', '4804@b'], '4803,4804@b'],
    ['empty list', listOf(spreadName, { min: 0, max: 3 }), '', []],
    ['full list', listOf(spreadName, { min: 0, max: 2 }), '1,2', ['1', '2']],
  ];
  it.each(rows)('%s', (_, type, text, value, canonical = text) => {
    expect(type.parse(text)).toEqual(value);
    expect(type.format(value)).toBe(canonical);
  });
});

describe('invalid texts', () => {
  const rows: [string, ValueType<unknown>, string, string][] = [
    ['duration without unit', anyDuration, '5', 'the unit is missing; use ms, s, m or h'],
    ['empty duration', anyDuration, '', ''],
    ['unknown unit', anyDuration, '5d', ''],
    ['units in the wrong order', anyDuration, '5s1m', ''],
    ['negative duration', anyDuration, '-5s', ''],
    ['part of a millisecond', anyDuration, '0.0001s', 'it is not a whole number of milliseconds'],
    ['duration below', duration({ min: '1s', max: '1h' }), '999ms', 'less than 1s'],
    ['duration above', duration({ min: '1s', max: '1h' }), '3601s', 'more than 1h'],
    ['size with an unknown unit', anySize, '4MB4', ''],
    [
      'size in bits',
      anySize,
      '4Mbit',
      'the unit must be one of B, Ki, KiB, Mi, MiB, Gi, GiB, kB, KB, MB, GB',
    ],
    ['part of a byte', anySize, '0.3B', 'it is not a whole number of bytes'],
    ['size below', byteSize({ min: '4KiB', max: '1MiB' }), '4095', 'less than 4KiB'],
    ['size above', byteSize({ min: '4KiB', max: '1MiB' }), '1048577', 'more than 1MiB'],
    ['hexadecimal integer', integer({ min: '0', max: '100' }), '0x10', ''],
    ['decimal point', integer({ min: '0', max: '100' }), '1.0', ''],
    ['exponent', integer({ min: '0', max: '100' }), '1e1', ''],
    ['integer past 2^53', integer({ min: '0', max: '100' }), '9'.repeat(17), ''],
    ['NaN', fraction({ min: '0', max: '1' }), 'NaN', ''],
    ['Infinity', fraction({ min: '0', max: '1' }), 'Infinity', ''],
    ['mode without octal digits', fileMode({ min: '0600', max: '0777' }), '0689', ''],
    ['mode without access for the owner', fileMode({ min: '0600', max: '0777' }), '0066', 'less than 0600'],
    ['setuid mode', fileMode({ min: '0600', max: '0777' }), '4755', ''],
    ['yes', boolean, 'yes', ''],
    ['True', boolean, 'True', ''],
    ['word in capitals', oneOf('pause', 'disconnect'), 'PAUSE', ''],
    [
      'port only',
      tcpAddress,
      '4814',
      'the host is missing; use 127.0.0.1 for this machine only, or 0.0.0.0 for all addresses',
    ],
    ['host only', tcpAddress, 'localhost', 'the port is missing'],
    ['empty host', tcpAddress, ':4814', 'the host is missing; use 0.0.0.0 or [::] for all addresses'],
    ['star', tcpAddress, '*:4814', 'the host * is not allowed; use 0.0.0.0 or [::] for all addresses'],
    ['IPv6 without brackets', tcpAddress, '::1:4814', 'write an IPv6 address in brackets: [::1]:4813'],
    ['brackets around a name', tcpAddress, '[localhost]:4814', 'there is no IPv6 address in the brackets'],
    ['port too large', tcpAddress, '127.0.0.1:65536', 'the port is more than 65535'],
    ['port that is no number', tcpAddress, 'localhost:http', 'the port is not a number'],
    ['host with a blank', tcpAddress, 'local host:1', 'the host is not a name or an address'],
    ['Unix socket where only TCP may be', tcpAddress, 'unix:/x', 'the port is not a number'],
    ['relative path', listenAddress, 'unix:x.sock', 'it is not the absolute path of a file'],
    ['folder', listenAddress, 'unix:/run/', 'it is not the absolute path of a file'],
    ['path that is too long', socketPath, `/${'x'.repeat(107)}`, 'it has 108 bytes'],
    ['path that is too long in UTF-8', socketPath, `/${'ü'.repeat(54)}`, 'it has 109 bytes'],
    ['path with NUL', socketPath, '/x\0y', 'it contains a comma or NUL'],
    ['spread name with port 0', spreadName, '0', 'the port is not in the range 1 to 65535'],
    ['spread name with a large port', spreadName, '65536@host', 'the port is not in the range 1 to 65535'],
    ['spread name the wrong way round', spreadName, 'host:4803', 'write port@host, not host:port'],
    ['spread name without port', spreadName, '@host', ''],
    ['spread name with a broken IPv6', spreadName, '4803@:::1', 'the host is not an IPv6 address'],
    ['token with 15 characters', token, 'x'.repeat(15), 'it has 15 characters'],
    ['token with 513 characters', token, 'x'.repeat(513), 'it has 513 characters'],
    ['token with a space', token, `${'x'.repeat(16)} `, 'it contains a space'],
    [
      'token with an umlaut',
      token,
      `${'x'.repeat(16)}ü`,
      'it contains a character that is not visible ASCII',
    ],
    ['list that is too short', listOf(spreadName, { min: 1, max: 3 }), '', 'the list is empty'],
    ['list that is too long', listOf(spreadName, { min: 1, max: 2 }), '1,2,3', 'the list has 3 items'],
    [
      'list with a bad item',
      listOf(spreadName, { min: 1, max: 3 }),
      '1,0',
      'item 2: the port is not in the range 1 to 65535',
    ],
    ['list with an empty item', listOf(spreadName, { min: 1, max: 3 }), '1,,2', 'item 2 is not valid'],
    [
      'list with a repetition',
      listOf(listenAddress, { min: 1, max: 3 }),
      '/a,unix:/a',
      'item 2: it occurs twice',
    ],
  ];
  it.each(rows)('%s', (_, type, text, hint) => expect(refusal(type, text)).toBe(hint));
});

describe('any value', () => {
  it.each([
    ['duration', anyDuration, fc.integer({ min: 0, max: 86_400_000 })],
    ['size', anySize, fc.integer({ min: 0, max: 2 ** 40 })],
    ['mode', fileMode({ min: '0600', max: '0777' }), fc.integer({ min: 0o600, max: 0o777 })],
  ] as const)('%s: formatted text can be parsed again', (_, type, values) => {
    fc.assert(fc.property(values, (value) => type.parse(type.format(value)) === value));
  });
});
