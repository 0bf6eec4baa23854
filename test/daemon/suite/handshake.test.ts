import { describe, expect, it } from 'vitest';
import { ByteStream } from '../../support/daemons/byte-stream.js';
import { RawClient } from '../../support/daemons/raw-client.js';
import { describeDaemons } from './subjects.js';

const NULL_LIST = Buffer.from('\x05NULL ', 'latin1');
const choiceOf = (...methods: string[]) =>
  Buffer.concat([...methods.map((method) => pad(method, 30)), Buffer.alloc(90)]).subarray(0, 90);
const pad = (text: string, length: number) =>
  Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(length)]).subarray(0, length);
const request = (name: string, version = [5, 0, 1], flags = 1) =>
  Buffer.from([...version, flags, name.length, ...Buffer.from(name, 'latin1')]);

describeDaemons('handshake', (bench) => {
  it.each([
    ['3.1', [3, 1], false, 2],
    ['3.14', [3, 14], false, 2],
    ['3.15.2', [3, 15, 2], false, 3],
    ['3.16.0', [3, 16, 0], true, 3],
    ['4.4.0', [4, 4, 0], true, 3],
    ['5.0.1', [5, 0, 1], true, 3],
    ['99.99.99', [99, 99, 99], true, 3],
  ])('accepts version %s with the protocol of that version', async (_, version, authPhase, versionBytes) => {
    const { daemon, privateName } = bench();
    const name = privateName('v');
    const stream = await ByteStream.connect(daemon.tcp);
    stream.write(request(name, version));
    if (authPhase) {
      expect(await stream.read(6)).toEqual(NULL_LIST);
      stream.write(choiceOf('NULL'));
    }
    const accept = await stream.read(1 + versionBytes + 1);
    expect([...accept.subarray(0, 1 + versionBytes)]).toEqual([1, 5, 0, 1].slice(0, 1 + versionBytes));
    const privateGroup = (await stream.read(accept.at(-1)!)).toString('latin1');
    expect(privateGroup).toMatch(new RegExp(`^#${name}#[$-~]{1,19}$`));
  });

  it.each([
    ['version 3.0', Buffer.from([3, 0, 1, 1, 118]), -7],
    ['version 2.99', Buffer.from([2, 99, 1, 1, 118]), -7],
    ['a major version of 0x80', request('v', [0x80, 0, 0]), -7],
    ['a name of 11 bytes', request('abcdefghijk'), -5],
    ['a name of 200 bytes', Buffer.from([5, 0, 1, 1, 200, 97]), -5],
    ['a blank in the name', request('a c'), -5],
    ['# in the name', request('a#c'), -5],
    ['a NUL in the name', request('a\0c'), -5],
    ['a high byte in the name', request('a\xe9c'), -5],
    ['an old version before a bad name', Buffer.from([3, 0, 1, 11, 118]), -7],
  ])('rejects %s', async (_, bytes, code) => {
    const stream = await ByteStream.connect(bench().daemon.tcp);
    stream.write(bytes);
    expect((await stream.read(1)).readInt8(0)).toBe(code);
    await stream.end();
  });

  it.each([
    ['an unknown method', choiceOf('FOO')],
    ['a method in lower case', choiceOf('null')],
    ['no method', choiceOf()],
    ['a method that is not allowed', choiceOf('NULL', 'IP')],
  ])('rejects %s with REJECT_AUTH', async (_, choice) => {
    const { daemon, privateName } = bench();
    const stream = await ByteStream.connect(daemon.tcp);
    stream.write(request(privateName('auth')));
    expect(await stream.read(6)).toEqual(NULL_LIST);
    stream.write(choice);
    expect((await stream.read(1)).readInt8(0)).toBe(-9);
    await stream.end();
  });

  it('rejects a name in use (case-sensitive), and frees it after a disconnect message', async () => {
    const { connect } = bench();
    const first = await connect('dup');
    await expect(connect('dup')).rejects.toMatchObject({ code: 'REJECT_NOT_UNIQUE' });
    const other = await connect('DUP');
    expect(other.privateGroup).not.toBe(first.privateGroup);
    await first.disconnect();
    const again = await connect('dup');
    expect(again.privateGroup).toBe(first.privateGroup);
  });

  it('rejects a name that belongs to an unfinished handshake', async () => {
    const { daemon, connect, privateName } = bench();
    const stream = await ByteStream.connect(daemon.tcp);
    stream.write(request(privateName('half')));
    expect(await stream.read(6)).toEqual(NULL_LIST);
    await expect(connect('half')).rejects.toMatchObject({ code: 'REJECT_NOT_UNIQUE' });
  });

  it('generates a name for a client without one', async () => {
    const { daemon } = bench();
    const clients = [await RawClient.connect(daemon.tcp), await RawClient.connect(daemon.tcp)];
    const names = clients.map((client) => client.privateGroup.split('#')[1]!);
    for (const name of names) expect(name).toMatch(/^r\d{1,4}-\d+$/);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(9);
    expect(new Set(names).size).toBe(2);
  });

  it('uses the same protocol on the Unix socket', async ({ skip }) => {
    const { daemon, group, connect, privateName } = bench();
    const { unix } = daemon;
    if (!unix) return skip('the daemon is somewhere else');
    const local = await RawClient.connect(unix, { name: privateName('u') });
    const remote = await connect('t');
    local.join(group('g'));
    await local.nextView();
    remote.join(group('g'));
    expect(await local.nextView()).toEqual(await remote.nextView());
  });

  it('closes silent connections within two seconds, without a response', async () => {
    const stream = await ByteStream.connect(bench().daemon.tcp);
    await stream.end(2500);
  });

  describe('bytes after the request', () => {
    it.each([
      ['a 10-byte name', (name: string) => name.padEnd(10, 'x')],
      ['an empty name', () => ''],
    ])('count as what follows after %s', async (_, nameOf) => {
      const { daemon, privateName } = bench();
      const stream = await ByteStream.connect(daemon.tcp);
      stream.write(Buffer.concat([request(nameOf(privateName('p'))), choiceOf('NULL')]));
      expect((await stream.read(7)).subarray(6)).toEqual(Buffer.from([1]));
    });

    it('count as part of a shorter name', async () => {
      const stream = await ByteStream.connect(bench().daemon.tcp);
      stream.write(Buffer.concat([request('abcd'), choiceOf('NULL')]));
      expect((await stream.read(1)).readInt8(0)).toBe(-5);
    });
  });
});
