import type { NetConnectOpts } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { encodeAuthChoice, encodeConnectRequest } from '../../server/src/spread/wire/index.js';
import { ByteStream } from '../support/daemons/byte-stream.js';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { RawClient } from '../support/daemons/raw-client.js';
import { ValgrindSpread } from '../support/daemons/valgrind-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { until } from '../support/until.js';
import { buildFrame, type RawFrame } from '../support/wire/frame-builder.js';
import { MAX_BODY, NAME } from '../support/wire/message-sizes.js';

/**
 * Bytes at and beyond each limit of the protocol, sent directly to a daemon. The sidecar forwards no bytes beyond
 * a limit. The results for a real daemon come from runs under valgrind and with AddressSanitizer.
 */

const SLOW_MS = 300_000;

/** The result for the session: the daemon continues to read from it, ends it, or aborts. */
type Outcome = 'goes on' | 'ends' | 'daemon aborts';

interface FrameCase {
  readonly title: string;
  /** The frames. The sender's private group is empty where the session's own must be used. */
  readonly frames: readonly RawFrame[];
  readonly embedded: Exclude<Outcome, 'daemon aborts'>;
  readonly real: Outcome;
  /** The report of valgrind for the real daemon. Default: no report. */
  readonly report?: RegExp;
}

const UNRELIABLE = 0x01;
const RELIABLE = 0x02;
const FIFO = 0x04;
const SELF_DISCARD = 0x40;
const JOIN = 0x10000;
const LEAVE = 0x20000;
const BETWEEN_DAEMONS = 0x80000;
const REJECT = 0x400000;

const name32 = 'B'.repeat(32);
const bytes = (count: number) => Buffer.alloc(count, 'A');
const groups = (count: number) => Array.from({ length: count }, (_, i) => `g${i}`);
const one = (
  title: string,
  frame: RawFrame,
  embedded: FrameCase['embedded'],
  real: Outcome = embedded,
): FrameCase => ({
  title,
  frames: [frame],
  embedded,
  real,
});
/** Messages whose packets the daemon reuses for later messages, with their content. */
const filled: readonly RawFrame[] = Array.from({ length: 20 }, () => ({ type: RELIABLE, data: bytes(1300) }));

/** Frames that do not harm the real daemon. */
const HARMLESS: readonly FrameCase[] = [
  ...[0, 1, 43, 44, 100].map((count) =>
    one(`${count} groups`, { type: RELIABLE, groups: groups(count), data: bytes(10) }, 'goes on'),
  ),
  one('101 groups', { type: RELIABLE, numGroups: 101 }, 'ends'),
  one('-1 groups', { type: RELIABLE, numGroups: -1 }, 'ends'),
  ...[0, 1, 2, 43, 100].map((count) =>
    one(
      `the longest payload to ${count} groups`,
      { type: RELIABLE, groups: groups(count), data: bytes(MAX_BODY - NAME * count) },
      'goes on',
    ),
  ),
  one('a payload of -1 bytes', { type: RELIABLE, groups: ['a'], dataLength: -1 }, 'ends'),
  one(
    'a payload and groups of 143,953 bytes',
    { type: RELIABLE, groups: ['a'], dataLength: 143_953 - NAME },
    'ends',
  ),
  one('a payload of 144,001 bytes', { type: RELIABLE, dataLength: 144_001 }, 'ends'),
  one('a join with a name of 31 bytes', { type: JOIN, groups: ['B'.repeat(31)] }, 'goes on'),
  one(
    'a join with a name of 31 bytes and data',
    { type: JOIN, groups: ['B'.repeat(31)], data: bytes(100) },
    'goes on',
  ),
  one('a leave with a name of 31 bytes', { type: LEAVE, groups: ['B'.repeat(31)] }, 'goes on'),
  one('a join with 100 names', { type: JOIN, groups: groups(100) }, 'goes on'),
  one('a join with the longest data', { type: JOIN, groups: ['a'], data: bytes(MAX_BODY - NAME) }, 'goes on'),
  one('a message to a name of 32 bytes', { type: RELIABLE, groups: [name32], data: bytes(1300) }, 'goes on'),
  ...[
    `#${'p'.repeat(10)}#${'d'.repeat(19)}`,
    `#${'p'.repeat(11)}#d`,
    `#p#${'d'.repeat(20)}`,
    '##d',
    '#p#',
    '#p',
  ].map((group) => one(`a message to ${group}`, { type: RELIABLE, groups: [group] }, 'goes on')),
  ...[UNRELIABLE, RELIABLE, FIFO, 0x08, 0x10, 0x20].map((type) =>
    one(`the service 0x${type.toString(16)}`, { type, groups: ['a'] }, 'goes on'),
  ),
  one('no service', { type: 0, groups: ['a'] }, 'ends'),
  one('two services', { type: UNRELIABLE | RELIABLE, groups: ['a'] }, 'ends'),
  one('a service and a join', { type: RELIABLE | JOIN, groups: ['a'] }, 'ends'),
  one('a join and a leave', { type: JOIN | LEAVE, groups: ['a'] }, 'ends'),
  one('SELF_DISCARD', { type: RELIABLE | SELF_DISCARD, groups: ['a'] }, 'goes on'),
  // 16 to 18 are join, leave and kill. 19 and 22 are below.
  ...[8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 23].map((bit) =>
    one(`bit ${bit} of the type`, { type: RELIABLE | (1 << bit), groups: ['a'] }, 'ends', 'goes on'),
  ),
  ...[24, 25, 26, 27, 28, 29, 30].map((bit) =>
    one(`bit ${bit} of the type`, { type: RELIABLE | (1 << bit), groups: ['a'] }, 'goes on'),
  ),
  ...[-32_768, -1, 32_767].map((messageType) =>
    one(`the message type ${messageType}`, { type: RELIABLE, groups: ['a'], messageType }, 'goes on'),
  ),
  ...[0x80ff_ff81, 0x80ff_ffff, 0x81ff_ff80, 0xffff_ff80].map((hint) =>
    one(`the hint 0x${hint.toString(16)}`, { type: RELIABLE, groups: ['a'], hint }, 'ends'),
  ),
  ...[
    '#other#localhost',
    '#a#other',
    `#${'a'.repeat(11)}#localhost`,
    `#a#${'d'.repeat(20)}`,
    `#a#${'d'.repeat(29)}`,
    'a'.repeat(32),
    '#a',
    '',
  ].map((privateGroup) =>
    one(`a sender '${privateGroup}'`, { type: RELIABLE, groups: ['a'], privateGroup }, 'ends'),
  ),
];

/** Frames that break the real daemon. */
const HARMFUL: readonly FrameCase[] = [
  ...[0, 1, 100].map(
    (count): FrameCase => ({
      ...one(
        `one byte more than the longest payload to ${count} groups`,
        { type: RELIABLE, groups: groups(count), data: bytes(MAX_BODY + 1 - NAME * count) },
        'ends',
        'goes on',
      ),
      report: /Invalid write/,
    }),
  ),
  {
    ...one(
      'a join with one byte of data more',
      { type: JOIN, groups: ['a'], data: bytes(MAX_BODY + 1 - NAME) },
      'ends',
      'goes on',
    ),
    report: /Invalid write/,
  },
  one(
    'a payload and groups of 143,153 bytes',
    { type: RELIABLE, groups: ['a'], data: bytes(143_153 - NAME) },
    'ends',
    'daemon aborts',
  ),
  one(
    'a payload and groups of 143,952 bytes',
    { type: RELIABLE, groups: ['a'], data: bytes(143_952 - NAME) },
    'ends',
    'daemon aborts',
  ),
  {
    title: 'a join with a name of 32 bytes in a used packet',
    frames: [...filled, { type: JOIN, groups: [name32] }],
    embedded: 'goes on',
    real: 'goes on',
    report: /Invalid (read|write)/,
  },
  {
    title: 'a join without a name in a used packet',
    frames: [...filled, { type: JOIN }],
    embedded: 'goes on',
    real: 'goes on',
    report: /Invalid (read|write)/,
  },
  one(
    'the bit of messages between daemons',
    { type: RELIABLE | BETWEEN_DAEMONS, groups: ['a'] },
    'ends',
    'daemon aborts',
  ),
  one('a join with the reject bit', { type: JOIN | REJECT, groups: ['a'] }, 'ends', 'daemon aborts'),
];

/** Sends the frames and a message to itself, and determines the result for the session. */
async function outcomeOf(
  where: NetConnectOpts,
  frames: readonly RawFrame[],
  isRunning: () => boolean = () => true,
): Promise<Outcome> {
  const client = await RawClient.connect(where);
  const { privateGroup } = client;
  const end = { type: 0x10, privateGroup, groups: [privateGroup], data: Buffer.from('end') };
  client.send(
    Buffer.concat([...frames.map((frame) => buildFrame({ privateGroup, ...frame })), buildFrame(end)]),
  );
  const isBack = () => client.received.some((m) => m.kind === 'regular' && m.payload.toString() === 'end');
  await until(() => isBack() || client.stream.ended || !isRunning(), {
    timeoutMs: 30_000,
    what: 'an outcome',
  });
  if (isBack()) {
    client.abort();
    return 'goes on';
  }
  // A daemon that aborts closes its sockets before its process has ended.
  const closedAlone = await RawClient.connect(where).then(
    () => true,
    () => false,
  );
  if (closedAlone) return 'ends';
  await until(() => !isRunning(), { timeoutMs: 30_000, what: 'the end of a daemon that takes no clients' });
  return 'daemon aborts';
}

/** Handshakes at and beyond their limits. Both daemons respond alike. */
function handshakes(daemon: () => Promise<NetConnectOpts>, check: () => void): void {
  /**
   * Sends the first part, and the second part after 6 bytes of response. Resolves with the bytes of the last
   * response, at most `count`.
   */
  async function answerTo(where: NetConnectOpts, parts: readonly Buffer[], count: number): Promise<string> {
    const stream = await ByteStream.connect(where);
    const answer = async (length: number) => {
      const isThere = () => stream.available >= length || stream.ended;
      await until(isThere, { timeoutMs: 30_000, what: 'an answer' });
      return stream.take().toString('hex', 0, length);
    };
    const [first, second] = parts as [Buffer, Buffer?];
    stream.write(first);
    if (second) {
      await answer(6);
      stream.write(second);
    }
    const last = await answer(count);
    stream.socket.destroy();
    return last;
  }
  const request = (name: string, length = name.length, version = [5, 0, 1]) =>
    Buffer.concat([Buffer.from([...version, 1, length]), Buffer.from(name, 'latin1')]);
  const LIST = '054e554c4c20';

  it.each<[string, Buffer, string]>([
    ['a name of 10 bytes', request('n'.repeat(10)), LIST],
    ['a name of 11 bytes', request('n'.repeat(11)), 'fb'],
    ['a name of 127 bytes', request('n'.repeat(127)), 'fb'],
    ['a name of 128 bytes', request('n'.repeat(128)), 'fb'],
    ['a name of 255 bytes', request('n'.repeat(255)), 'fb'],
    ['the first legal byte', request('$'), LIST],
    ['the last legal byte', request('~'), LIST],
    ...[0x00, 0x20, 0x23, 0x7f, 0x80, 0xff].map((byte): [string, Buffer, string] => [
      `the byte 0x${byte.toString(16)}`,
      request(String.fromCharCode(byte)),
      'fb',
    ]),
    ['version 3.0.0', request('a', 1, [3, 0, 0]), 'f9'],
    ['version 128.0.0', request('a', 1, [128, 0, 0]), 'f9'],
    // 3.15 has three bytes of version in the response, 3.16 an authentication phase. A patch of 255 is -1.
    ['version 3.15.255', request('w', 1, [3, 15, 255]), '0105000c2377236c6f63616c686f7374'],
    ['version 3.16.255', request('x', 1, [3, 16, 255]), '010500010c2378236c6f63616c686f7374'],
    ['version 127.127.127', request('v', 1, [127, 127, 127]), LIST],
  ])(
    'a handshake with %s',
    async (_, bytes_, answer) => {
      expect(await answerTo(await daemon(), [bytes_], answer.length / 2)).toBe(answer);
      check();
    },
    SLOW_MS,
  );

  const slots = (...names: string[]) => {
    const choice = Buffer.alloc(90);
    for (const [i, name] of names.entries()) choice.write(name, 30 * i, 'latin1');
    return choice;
  };
  it.each<[string, Buffer, string]>([
    ['one method', encodeAuthChoice(['NULL']), '01'],
    ['two methods', encodeAuthChoice(['NULL', 'NULL']), '01'],
    ['no method', slots(), 'f7'],
    ['a method of 29 bytes', encodeAuthChoice(['N'.repeat(29)]), 'f7'],
    ['a method of 30 bytes', slots('N'.repeat(30)), 'f7'],
    ['89 bytes', slots('NULL').subarray(0, 89), 'f7'],
  ])(
    'a choice of %s',
    async (_, choice, answer) => {
      const parts = [encodeConnectRequest({ name: '', membership: true, priority: 0 }), choice];
      expect(await answerTo(await daemon(), parts, 1)).toBe(answer);
      check();
    },
    SLOW_MS,
  );
}

describe('frames at and beyond the limits, at the embedded daemon', () => {
  it.each([...HARMLESS, ...HARMFUL])('after $title, the session $embedded', async ({ frames, embedded }) => {
    const { tcp, events } = await startEmbeddedDaemon();
    expect(await outcomeOf(tcp, frames)).toBe(embedded);
    const cuts = events.filter((event) => event.kind === 'session-cut');
    expect(cuts).toMatchObject(
      embedded === 'ends' ? [{ reason: 'illegal-message', message: expect.stringMatching(/\w/) }] : [],
    );
  });
});

describe('handshakes at and beyond the limits, at the embedded daemon', () => {
  handshakes(
    async () => (await startEmbeddedDaemon({ handshakeTimeoutMs: 200 })).tcp,
    () => {},
  );
});

describe.skipIf(!isAvailable('spread-valgrind'))('at a real daemon under valgrind', () => {
  describe('frames that do not harm it', () => {
    let spread: ValgrindSpread;
    beforeAll(async () => {
      spread = await ValgrindSpread.start();
    }, SLOW_MS);
    afterAll(() => spread?.stop(), SLOW_MS);

    it.each(HARMLESS)(
      'after $title, the session $real',
      async ({ frames, real }) => {
        expect(await outcomeOf(spread.daemon.tcp, frames, () => spread.daemon.isRunning)).toBe(real);
        expect(spread.reports()).toEqual([]);
      },
      SLOW_MS,
    );

    handshakes(
      async () => spread.daemon.tcp,
      () => expect(spread.reports()).toEqual([]),
    );
  });

  it.each(HARMFUL)(
    'after $title, the session $real, and the daemon is broken',
    async ({ frames, real, report }) => {
      const spread = await ValgrindSpread.start();
      onTestFinished(() => spread.stop());
      const outcome = await outcomeOf(spread.daemon.tcp, frames, () => spread.daemon.isRunning);
      expect(outcome).toBe(real);
      if (report) expect(spread.reports().join('\n')).toMatch(report);
    },
    SLOW_MS,
  );
});
