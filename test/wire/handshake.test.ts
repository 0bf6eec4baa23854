import { describe, expect, it } from 'vitest';
import {
  AcceptReader,
  AuthChoiceReader,
  AuthListReader,
  ConnectRequestReader,
  encodeAccept,
  encodeAuthChoice,
  encodeAuthList,
  encodeConnectRequest,
  encodeReject,
  type IncrementalReader,
  rejection,
  SpreadCode,
  WireError,
} from '../../server/src/spread/wire/index.js';

function refusal(action: () => unknown): WireError {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

/** The result of `make()` for `bytes` in one piece. Checks that every split gives the same result. */
function read<T>(make: () => IncrementalReader<T>, bytes: Buffer): { value: T; rest: Buffer } {
  const whole = make();
  expect(whole.push(bytes)).toBe(true);
  const single = make();
  for (let i = 0; i < whole.taken; i++) {
    expect(single.done).toBe(false);
    single.push(bytes.subarray(i, i + 1));
  }
  expect(single.done).toBe(true);
  expect(single.value).toEqual(whole.value);
  return { value: whole.value, rest: whole.rest };
}

describe('connect request', () => {
  it('is version, flags and name', () => {
    expect(encodeConnectRequest({ name: 'alice', membership: true, priority: 0 })).toEqual(
      Buffer.from('\x05\x00\x01\x01\x05alice', 'latin1'),
    );
    expect(encodeConnectRequest({ name: '', membership: false, priority: 1 })).toEqual(
      Buffer.from([5, 0, 1, 0x10, 0]),
    );
  });

  it('has no patch byte before 3.15', () => {
    expect(
      encodeConnectRequest({
        name: 'x',
        membership: true,
        priority: 0,
        version: { major: 3, minor: 14, patch: 9 },
      }),
    ).toEqual(Buffer.from([3, 14, 1, 1, 0x78]));
    expect(
      encodeConnectRequest({
        name: 'x',
        membership: true,
        priority: 0,
        version: { major: 3, minor: 15, patch: 9 },
      }),
    ).toEqual(Buffer.from([3, 15, 9, 1, 1, 0x78]));
  });

  it.each([
    [[5, 0, 1], { authPhase: true, versionBytes: 3 }],
    [[3, 16, 0], { authPhase: true, versionBytes: 3 }],
    [[3, 15, 2], { authPhase: false, versionBytes: 3 }],
    [[3, 15, 0], { authPhase: false, versionBytes: 3 }],
    [[99, 99, 99], { authPhase: true, versionBytes: 3 }],
  ])('of version %j is read', ([major, minor, patch], form) => {
    const { value } = read(
      () => new ConnectRequestReader(),
      Buffer.from([major!, minor!, patch!, 0x11, 2, 0x68, 0x69]),
    );
    expect(value).toEqual({
      name: 'hi',
      membership: true,
      priority: 1,
      version: { major, minor, patch },
      ...form,
    });
  });

  it.each([
    [[3, 16, 255], { authPhase: false, versionBytes: 3 }],
    [[3, 15, 255], { authPhase: false, versionBytes: 2 }],
  ])('of version %j has a negative patch', (version, form) => {
    const { value } = read(() => new ConnectRequestReader(), Buffer.from([...version, 1, 1, 0x78]));
    expect(value).toMatchObject({ version: { patch: -1 }, ...form });
  });

  it.each([1, 14])('of version 3.%i is read', (minor) => {
    const { value } = read(() => new ConnectRequestReader(), Buffer.from([3, minor, 0, 1, 0x78]));
    expect(value).toMatchObject({
      name: 'x',
      membership: false,
      version: { major: 3, minor, patch: 0 },
      authPhase: false,
      versionBytes: 2,
    });
  });

  it.each([
    [3, 0],
    [2, 99],
    [0x80, 0],
    [0xff, 0],
  ])('of version %i.%i is too old, signed bytes as a daemon reads them', (major, minor) => {
    const error = refusal(() => new ConnectRequestReader().push(Buffer.from([major, minor, 0, 0, 0, 0])));
    expect(error).toMatchObject({ code: 'REJECT_VERSION' });
  });

  it.each([
    [0x00, false],
    [0x01, true],
    [0x0f, true],
    [0x10, false],
    [0x7f, true],
    [0x81, false],
    [0xff, false],
  ])('with the flag byte %#x requests membership: %s', (flags, membership) => {
    const { value } = read(() => new ConnectRequestReader(), Buffer.from([5, 0, 1, flags, 0]));
    expect(value.membership).toBe(membership);
  });

  it('is rejected for its name: version first, then length, then bytes', () => {
    expect(refusal(() => new ConnectRequestReader().push(Buffer.from([2, 0, 0, 200])))).toMatchObject({
      code: 'REJECT_VERSION',
    });
    for (const length of [11, 200]) {
      const error = refusal(() => new ConnectRequestReader().push(Buffer.from([5, 0, 1, 1, length])));
      expect(error).toMatchObject({ code: 'REJECT_ILLEGAL_NAME', bound: '0..10' });
    }
    expect(
      refusal(() => new ConnectRequestReader().push(Buffer.from('\x05\x00\x01\x01\x03a#c', 'latin1'))),
    ).toMatchObject({ code: 'REJECT_ILLEGAL_NAME' });
    expect(refusal(() => encodeConnectRequest({ name: 'a b', membership: true, priority: 0 }))).toMatchObject(
      { code: 'REJECT_ILLEGAL_NAME' },
    );
  });

  it('reports the expected length, and the bytes after it', () => {
    const reader = new ConnectRequestReader();
    expect(reader.awaiting).toBe('head');
    reader.push(Buffer.from([5, 0, 1, 1]));
    expect(reader.awaiting).toBe('head');
    reader.push(Buffer.from([4, 0x61]));
    expect(reader.awaiting).toBe('name');
    expect(reader.push(Buffer.from('bcd and more'))).toBe(true);
    expect(reader.value.name).toBe('abcd');
    expect(reader.rest.toString()).toBe(' and more');
  });
});

describe('auth list and choice', () => {
  it('the list has a space after each method', () => {
    expect(encodeAuthList(['NULL'])).toEqual(Buffer.from('\x05NULL ', 'latin1'));
    expect(encodeAuthList([])).toEqual(Buffer.from([0]));
    expect(refusal(() => encodeAuthList(['x'.repeat(127)]))).toMatchObject({ code: 'REJECT_AUTH' });
  });

  it.each([[[]], [['NULL']], [['NULL', 'IP', 'PWORD']]])('%j is read again', (methods) => {
    const { value, rest } = read(
      () => new AuthListReader(),
      Buffer.concat([encodeAuthList(methods), Buffer.from('behind')]),
    );
    expect(value).toEqual(methods);
    expect(rest.toString()).toBe('behind');
  });

  it('the choice is 90 bytes in three slots, the last of them empty', () => {
    const choice = encodeAuthChoice(['NULL', 'IP']);
    expect(choice.length).toBe(90);
    expect(choice.toString('latin1').replaceAll('\0', '.')).toBe(`NULL${'.'.repeat(26)}IP${'.'.repeat(58)}`);
    expect(read(() => new AuthChoiceReader(), choice).value).toEqual(['NULL', 'IP']);
  });

  it('the choice ends at the first empty slot', () => {
    const choice = Buffer.alloc(90);
    choice.write('IP', 60);
    expect(read(() => new AuthChoiceReader(), choice).value).toEqual([]);
    choice.fill('M');
    expect(read(() => new AuthChoiceReader(), choice).value).toEqual(Array(3).fill('M'.repeat(30)));
  });

  it.each([[[]], [['A', 'B', 'C']], [['']], [['x'.repeat(30)]], [['a b']], [['\x00']]])(
    'the choice %j is rejected',
    (methods) => {
      expect(refusal(() => encodeAuthChoice(methods))).toMatchObject({ code: 'REJECT_AUTH' });
    },
  );
});

describe('the response', () => {
  const accepted = { daemonVersion: { major: 5, minor: 0, patch: 1 }, privateGroup: '#alice#localhost' };

  it('accepts with version and private group', () => {
    expect(encodeAccept(accepted)).toEqual(Buffer.from('\x01\x05\x00\x01\x10#alice#localhost', 'latin1'));
    expect(encodeAccept(accepted, 2)).toEqual(Buffer.from('\x01\x05\x00\x10#alice#localhost', 'latin1'));
    const { value, rest } = read(
      () => new AcceptReader(),
      Buffer.concat([encodeAccept(accepted), Buffer.from('frame')]),
    );
    expect(value).toEqual(accepted);
    expect(rest.toString()).toBe('frame');
  });

  it.each([
    ['REJECT_QUOTA', 0xfd],
    ['REJECT_NO_NAME', 0xfc],
    ['REJECT_ILLEGAL_NAME', 0xfb],
    ['REJECT_NOT_UNIQUE', 0xfa],
    ['REJECT_VERSION', 0xf9],
    ['REJECT_AUTH', 0xf7],
  ] as const)('%s is one byte, in place of the list or of the response', (code, byte) => {
    expect(encodeReject(code)).toEqual(Buffer.from([byte]));
    expect(refusal(() => new AuthListReader().push(Buffer.from([byte])))).toMatchObject({ code });
    const error = refusal(() => new AcceptReader().push(Buffer.from([byte])));
    expect(error).toMatchObject({ code });
    // The code already is the reason of the error.
    expect(error.message).not.toContain(code);
  });

  it('with an invalid response is distinguished', () => {
    expect(refusal(() => new AcceptReader().push(Buffer.from([0])))).toMatchObject({
      code: 'ILLEGAL_MESSAGE',
      field: 'accept',
    });
    expect(rejection(-100)).toMatchObject({ code: 'ILLEGAL_MESSAGE' });
  });

  it.each(Object.entries(SpreadCode).filter(([name, number]) => number < 0 && !name.startsWith('REJECT_')))(
    'with %s, which no daemon uses to reject, is an invalid response: a peer cannot imitate a defect of the sidecar',
    (_, number) => {
      expect(rejection(number)).toMatchObject({ code: 'ILLEGAL_MESSAGE', field: 'reject code' });
    },
  );
});

describe('a reader that threw', () => {
  it('throws the same again, and has no value', () => {
    const reader = new AcceptReader();
    const first = refusal(() => reader.push(Buffer.from([0xfa])));
    expect(refusal(() => reader.push(Buffer.from([1])))).toBe(first);
    expect(reader.done).toBe(false);
    expect(() => reader.value).toThrow('not complete');
  });

  it('must not be used after its end', () => {
    const reader = new AuthListReader();
    reader.push(Buffer.from([0]));
    expect(() => reader.push(Buffer.from([0]))).toThrow('complete');
  });
});
