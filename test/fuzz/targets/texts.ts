import { isDeepStrictEqual } from 'node:util';
import { readTokenFile } from '../../../server/src/config/index.js';
import { isLoopback, listenAddress, spreadName } from '../../../server/src/config/values/addresses.js';
import { Refusal } from '../../../server/src/config/values/value-type.js';
import { parseSpreadConf, SpreadConfError } from '../../../server/src/daemon/index.js';
import { formatAddress, parseAddress } from '../../../server/src/spread/address.js';
import { SpreadError } from '../../../server/src/spread/spread-error.js';
import {
  checkDaemonName,
  checkDestination,
  checkGroupName,
  checkPrivateName,
  encodeJoin,
  encodeMulticast,
  parsePrivateGroup,
  serviceTypeFromBits,
  WireError,
} from '../../../server/src/spread/wire/index.js';
import type { Input } from '../engine/input.js';
import { type Target, Violation } from '../engine/target.js';
import { textOf, words } from '../engine/text.js';
import { recordedPrivateGroups } from './recordings.js';

const CONFS = [
  `# a comment
DebugFlags = { PRINT EXIT }
EventLogFile = "spread.log"
EventTimeStamp
MaxSessionMessages = 5000
DangerousMonitor = false
SocketPortReuse = AUTO
Spread_Segment 127.0.0.255:4803 {
  localhost 127.0.0.1 { C 127.0.0.1 D 192.168.0.1 }
  second 10.0.0.2 VirtualID = 5;
}`,
  'Spread_Segment [ff02::1]:4810 {\n\tone ::1\n\t"two words" 10.0.0.1\n\t10.0.0.9\n}\nTokenTimeout = 100\n',
  'AllowedAuthMethods = "NULL IP"\nRequiredAuthMethods = "NULL"\nAccessControlPolicy = "PERMIT"\nSpread_Segment 10.0.0.255 { a 10.0.0.1 }',
];

export const spreadConf: Target = {
  name: 'spread-conf',
  text: "Spread's own configuration files",
  kind: 'pure',
  chunk: 2000,
  lanes: 1,
  open: () => ({
    material: {
      seeds: CONFS.map((text) => words(...text.split(/(?<=\n)/))),
      words: words(
        'Spread_Segment',
        '{',
        '}',
        '=',
        '!',
        ';',
        '"',
        "'",
        '[::1%eth0]:1',
        '1.2.3.4:99999',
        'VirtualID',
        '%',
        '#',
      ),
      maxPieces: 40,
      maxPieceBytes: 4000,
    },
    run: (input) => {
      const text = textOf(input);
      const lines = text.split('\n').length;
      const options = [{}, { name: 'localhost' }, { localAddresses: ['127.0.0.1'] }][text.length % 3]!;
      try {
        const { name, port } = parseSpreadConf(text, options);
        checkDaemonName(name);
        if (!(port >= 1 && port <= 65_535)) throw new Violation(`the port is ${port}`);
        return 'taken';
      } catch (error) {
        if (!(error instanceof SpreadConfError)) throw error;
        if (error.mistakes.length === 0) throw new Violation('an error without a mistake');
        for (const { line } of error.mistakes)
          if (!(line >= 1 && line <= lines)) throw new Violation(`line ${line} of ${lines}`);
        return 'mistakes';
      }
    },
  }),
};

const TOKEN = 's3cret-s3cret-s3cret';

export const tokenFile: Target = {
  name: 'token-file',
  text: 'files of tokens',
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => ({
    material: {
      seeds: [
        words('# clients\n', `alice ${TOKEN}\n`, '\n', `bob   ${TOKEN}2\r\n`, `${TOKEN}3`),
        [Buffer.from(`${Array.from({ length: 256 }, (_, i) => `${TOKEN}${i}`).join('\n')}\n`)],
      ],
      words: words(' ', '\t', '\n', ',', '#', '\u00a0', '\ufeff', TOKEN, 'a'.repeat(520)),
      maxPieces: 20,
      maxPieceBytes: 8000,
    },
    run: (input) => {
      try {
        for (const { name, value } of readTokenFile(textOf(input))) {
          if (!/^[\x21-\x2b\x2d-\x7e]{16,512}$/.test(value))
            throw new Violation('no token, but taken for one');
          if (name !== undefined && !/^[\w.-]{1,64}$/.test(name))
            throw new Violation('no name, but taken for one');
        }
        return 'taken';
      } catch (error) {
        if (!(error instanceof Error) || error.constructor !== Error) throw error;
        if (error.message.includes('s3cret')) throw new Violation('the error shows a token');
        return error.message.replace(/\d+/g, '0').slice(0, 40);
      }
    },
  }),
};

const ADDRESSES = [
  ...[
    '',
    '4803',
    '4803@localhost',
    '4803@127.0.0.1',
    '4803@[::1]',
    '4803@fe80::1',
    '/tmp/4803',
    '65535@a.b.c',
  ],
  ...['127.0.0.1:4813', '[::]:0', 'localhost:1', 'unix:/run/a', '4803@::ffff:1.2.3.4', '1@xn--bcher-kva.de'],
];

/** Pieces: each is parsed as an address, a name and a group. */
export const names: Target = {
  name: 'names',
  text: 'Spread names, listen addresses, private names, groups, service types',
  kind: 'pure',
  chunk: 5000,
  lanes: 1,
  open: () => ({
    material: {
      seeds: [...ADDRESSES, ...recordedPrivateGroups(), 'chat', 'a'.repeat(31), '#a#b'].map((text) =>
        words(text),
      ),
      words: words(
        '@',
        '#',
        ':',
        '[',
        ']',
        '/',
        '%',
        '\0',
        '.',
        '-',
        '0',
        '65536',
        'unix:',
        '::',
        '\u00e9',
        '~',
        '$',
      ),
      maxPieces: 2,
      maxPieceBytes: 600,
    },
    run: (input) => tryNames(input),
  }),
};

function tryNames(input: Input): string {
  const latin1 = Buffer.concat(input).toString('latin1');
  const text = textOf(input);
  const outcome = [readAddress(text), readAddress(latin1)].join(' ');
  refusal(() => listenAddress.parse(listenAddress.format(listenAddress.parse(text))));
  refusal(() => spreadName.parse(text));
  isLoopback(text);
  wire(
    () => checkPrivateName(latin1),
    () => latin1.length <= 10,
  );
  wire(
    () => checkDaemonName(latin1),
    () => latin1.length >= 1 && latin1.length <= 19,
  );
  wire(
    () => checkGroupName(latin1),
    () => encodeJoin('#a#b', latin1).length === 80,
  );
  wire(
    () => checkDestination(latin1),
    () =>
      encodeMulticast({
        privateGroup: '#a#b',
        serviceType: 'SAFE',
        groups: [latin1],
        payload: Buffer.alloc(0),
      })[0]!.length === 80,
  );
  const parts = parsePrivateGroup(latin1);
  if (parts && `#${parts.name}#${parts.daemon}` !== latin1)
    throw new Violation('a private group with other parts');
  wire(
    () => serviceTypeFromBits(Number.parseInt(latin1, 16)),
    () => true,
  );
  return outcome;
}

/** A parsed value can be formatted and parsed again. */
function readAddress(text: string): string {
  try {
    const address = parseAddress(text, 'linux');
    if (!isDeepStrictEqual(parseAddress(formatAddress(address), 'linux'), address))
      throw new Violation('written and read again, it is another address');
    return address.kind;
  } catch (error) {
    if (error instanceof SpreadError && error.code === 'ILLEGAL_SPREAD') return error.code;
    throw error;
  }
}

function refusal(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

function wire(check: () => unknown, holds: () => boolean): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return;
  }
  if (!holds()) throw new Violation('taken, but it can not be used');
}
