import { describe, expect, it } from 'vitest';
import {
  parseSpreadConf,
  SpreadConfError,
  type SpreadConfOptions,
} from '../../../../server/src/daemon/spread-conf/spread-conf.js';

const minimal = `
# one daemon
Spread_Segment 127.0.0.255 {
	localhost	127.0.0.1
}
`;

const full = `
Spread_Segment  127.0.0.255:4903 {   # comment
  localhost 127.0.0.1 { D 127.0.0.1
    C 127.0.0.1 C ::1 }
  other1 128.2.2.10
         128.2.2.11
  'quoted # name' 128.2.2.12 VirtualID = 5
  looked.up.example.com ;
  128.2.2.13 { 128.2.2.13 M D 10.0.0.1 }
}
Spread_Segment 128.2.3.255:5000 225.0.1.1 {
  six 128.2.3.6

}
DebugFlags = { ALL !DATA_LINK !MEMORY }
EventLogFile = "log file %h.out"
EventTimeStamp
EventTimeStamp = '[%a %d]'
EventPreciseTimeStamp
EventPriority = INFO
DangerousMonitor = No
SocketPortReuse = AUTO
DaemonUser = spread
RuntimeDir = /var/run/spread
RequiredAuthMethods = "   "
AllowedAuthMethods = "NULL IP"
AccessControlPolicy = "PERMIT"
MaxSessionMessages = 5000
Window = 160
AcceleratedRing = TRUE
ActiveIPVersion = IPv4
TokenTimeout = 1250
`;

const version6 = `
Spread_Segment [ff02::1:2:3%eth30]:5000 {
  six fe80::1%eth0
  fe80::2%eth0
}
ActiveIPVersion = IPv6
`;

const mistakesOf = (text: string, options?: SpreadConfOptions) => {
  try {
    parseSpreadConf(text, options);
  } catch (error) {
    if (error instanceof SpreadConfError) return error.mistakes;
    throw error;
  }
  throw new Error('no mistake was found');
};

const segment = (daemons: string) => `Spread_Segment 127.0.0.255 {\n${daemons}\n}\n`;

describe('parseSpreadConf', () => {
  it("reads Spread's minimal file", () => {
    expect(parseSpreadConf(minimal)).toEqual({
      name: 'localhost',
      address: '127.0.0.1',
      port: 4803,
      clientAddresses: ['127.0.0.1'],
      maxSessionMessages: undefined,
      virtualId: undefined,
      ignored: [
        {
          line: 3,
          what: 'segment address 127.0.0.255: a single node does not communicate with other daemons',
        },
      ],
    });
  });

  it('reads the relevant parts of a large file for a single node', () => {
    expect(parseSpreadConf(full, { name: 'localhost' })).toMatchObject({
      name: 'localhost',
      address: '127.0.0.1',
      port: 4903,
      clientAddresses: ['127.0.0.1', '::1'],
      maxSessionMessages: 5000,
    });
  });

  it('reports all other settings as ignored, with their location', () => {
    const { ignored } = parseSpreadConf(full, { name: 'localhost' });
    expect(ignored.map(({ line }) => line)).toEqual(
      [...ignored.map(({ line }) => line)].sort((x, y) => x - y),
    );
    const what = ignored.map((entry) => `${entry.line} ${entry.what}`).join('\n');
    for (const expected of [
      "5 daemon 'other1'",
      "6 daemon '128.2.2.11'",
      "7 daemon 'quoted # name'",
      "8 daemon 'looked.up.example.c'",
      '11 segment address 128.2.3.255',
      '15 DebugFlags: the options of the command set the logging',
      '18 EventTimeStamp: the options of the command set the logging',
      '27 AccessControlPolicy: the daemon accepts clients without authentication',
      '29 Window: there is no ring',
    ])
      expect(what).toContain(expected);
    expect(what).not.toContain('MaxSessionMessages');
  });

  it.each<[string, SpreadConfOptions, object]>([
    [
      'a daemon by its name',
      { name: 'other1' },
      { name: 'other1', address: '128.2.2.10', clientAddresses: ['128.2.2.10'] },
    ],
    [
      'a daemon without a name, by its address',
      { name: '128.2.2.11' },
      { name: '128.2.2.11', address: '128.2.2.11' },
    ],
    [
      'a daemon of another segment',
      { name: 'six' },
      { address: '128.2.3.6', port: 5000, virtualId: undefined },
    ],
    [
      'a daemon that only has a name',
      { name: 'looked.up.example.c' },
      { name: 'looked.up.example.c', address: 'looked.up.example.com' },
    ],
    [
      'interfaces without a letter as meant for clients',
      { name: '128.2.2.13' },
      { clientAddresses: ['128.2.2.13'] },
    ],
    ['its own address', { localAddresses: ['10.1.1.1', '128.2.2.11'] }, { name: '128.2.2.11' }],
    ['localhost as an address of every machine', { localAddresses: ['127.0.0.1'] }, { name: 'localhost' }],
    ['the first daemon when nothing is said', {}, { name: 'localhost' }],
  ])('finds %s', (_, options, expected) => {
    expect(parseSpreadConf(full, options)).toMatchObject(expected);
  });

  it.each([
    ['six', { address: 'fe80::1%eth0', port: 5000 }],
    ['fe80::2', { address: 'fe80::2%eth0' }],
  ])('finds the IPv6 daemon %s without an interface in its name', (name, expected) => {
    expect(parseSpreadConf(version6, { name })).toMatchObject(expected);
  });

  it('reads a virtual ID', () => {
    expect(parseSpreadConf(segment('d 127.0.0.1 VirtualID = 5'))).toMatchObject({ virtualId: 5 });
  });

  it('has no client address when no interface is for clients', () => {
    expect(parseSpreadConf(segment('d 127.0.0.1 { D 127.0.0.1 }')).clientAddresses).toEqual([]);
  });

  it('accepts one address at two ports, and reports a semicolon inside of a name', () => {
    const two = 'Spread_Segment 1.2.3.255:5 { a 1.2.3.4 } Spread_Segment 1.2.3.255:6 { b; 1.2.3.4 }';
    expect(parseSpreadConf(two, { name: 'b;' })).toMatchObject({ name: 'b;', port: 6 });
    const what = parseSpreadConf(two, { name: 'a' }).ignored.map((entry) => entry.what);
    expect(what.join()).toMatch(/semicolon in the daemon name 'b;' is part of the name/);
  });

  it('rejects a name to choose by that is longer than 19 bytes', () => {
    const long = 'looked.up.example.com';
    expect(mistakesOf(full, { name: long })[0]!.message).toMatch(
      /'looked.up.example.com' of -n has 21 bytes; at most 19/,
    );
    expect(parseSpreadConf(full, { name: long.slice(0, 19) }).address).toBe(long);
  });

  it.each<[string, string, number, RegExp]>([
    ['an empty file', '', 1, /no daemon/],
    ['only comments', '# nothing\n\n# here', 3, /no daemon/],
    [
      'a segment without an address',
      'Spread_Segment { d 127.0.0.1 }',
      1,
      /expected an address after Spread_Segment/,
    ],
    ['a segment that is not closed', 'Spread_Segment 1.2.3.4 {\n d 1.2.3.4\n', 3, /a daemon .* or }/],
    ['an unknown setting', `${minimal}Colour = blue`, 6, /'Colour' is neither a setting/],
    ['a setting without blanks', `${minimal}Window=5`, 6, /spaces around '='/],
    [
      'a number that is a word',
      `${minimal}\nWindow = many`,
      7,
      /Window must be a whole number from 1 to 999999999, not 'many'$/,
    ],
    [
      'a boolean that is a number',
      `${minimal}DangerousMonitor = 1`,
      6,
      /needs true, yes, false or no, not '1'$/,
    ],
    ['on or off that is neither', `${minimal}SocketPortReuse = perhaps`, 6, /on, off or auto/],
    ['no value', `${minimal}DaemonUser =`, 6, /DaemonUser needs a value/],
    ['MaxSessionMessages = 0', `${minimal}MaxSessionMessages = 0`, 6, /from 1 to 999999999, not '0'/],
    [
      'a port that is too large',
      'Spread_Segment 1.2.3.4:65536 { d 1.2.3.4 }',
      1,
      /the port of '1\.2\.3\.4:65536' is too large; at most 65535 is allowed/,
    ],
    ['a quote that is not closed', `${minimal}EventLogFile = "abc`, 6, /quote " is not closed/],
    ['brackets around nothing', 'Spread_Segment [127.0.0.1]:5 { }', 1, /unexpected '\['/],
    ['two daemons of one name', segment('d 1.2.3.4\nd 1.2.3.5'), 3, /'d' occurs twice/],
    ['an empty daemon name', segment("'' 1.2.3.4"), 2, /must not be empty/],
    ['a reserved letter as a daemon', segment('C 1.2.3.4'), 2, /'C' .*in quotes/],
    ['braces without an interface', segment('d 1.2.3.4 { }'), 2, /at least one interface/],
    ['an interface that is a name', segment('d 1.2.3.4 { C eth0 }'), 2, /found 'eth0'/],
    ['a virtual id of 0', segment('d 1.2.3.4 VirtualID = 0'), 2, /from 1 to 999999999/],
    ['flags that are not closed', `${minimal}DebugFlags = { ALL`, 6, /at the end of DebugFlags/],
    ['an own name with illegal bytes', segment('"a b" 127.0.0.1'), 2, /illegal byte/],
    [
      'required authentication',
      `${minimal}RequiredAuthMethods = "IP"`,
      6,
      /no authentication .*RequiredAuthMethods/,
    ],
    ['authentication without NULL', `${minimal}AllowedAuthMethods = "IP PWORD"`, 6, /allow NULL/],
    ['an address with a semicolon', segment('127.0.0.1;'), 2, /'127\.0\.0\.1;' .*space before the semicolon/],
    [
      'a name with a semicolon',
      segment('d 1.2.3.4 { D 1.2.3.4 } e;'),
      2,
      /'e;' .*space before the semicolon/,
    ],
    ['a name that no host has', segment('a/b'), 2, /is not a host name/],
    [
      'two daemons of one address',
      segment('a 1.2.3.4\nb 1.2.3.4'),
      3,
      /daemon 'b' and daemon 'a' have the same address 1\.2\.3\.4 and port/,
    ],
    [
      'two daemons of one IPv6 address in two spellings',
      'Spread_Segment ff02::1 {\n a fe80::1\n b fe80:0::1 }',
      3,
      /daemon 'b' and daemon 'a' have the same address/,
    ],
    ['the unspecified address', segment('d 0.0.0.0'), 2, /must not be 0\.0\.0\.0/],
    ['an unspecified segment', 'Spread_Segment 0.0.0.0 { d 1.2.3.4 }', 1, /segment's address must not be/],
    ['a multicast address', segment('d 225.0.0.1'), 2, /multicast address 225/],
    ['IPv6 in a file of IPv4', segment('d 1.2.3.4\ne fe80::1'), 3, /fe80::1 is IPv6, but the file uses IPv4/],
    ['an unknown IP version', `${minimal}ActiveIPVersion = 4x`, 6, /IPv4 or IPv6, not '4x'/],
    [
      'an IP version that comes too late',
      `${minimal}ActiveIPVersion = IPv6`,
      6,
      /an earlier address is IPv4/,
    ],
    [
      'interfaces without the own address',
      segment('d 1.2.3.4 { C 1.2.3.4 }'),
      2,
      /must include D 1\.2\.3\.4/,
    ],
    ['one virtual id twice', segment('d 1.2.3.4 VirtualID = 5\ne 1.2.3.5 VirtualID = 5'), 3, /ID 5 occurs/],
    ['a reserved word as a daemon', segment('INFO 1.2.3.4'), 2, /in quotes/],
    [
      'a window of 0',
      `${minimal}PersonalWindow = 0`,
      6,
      /PersonalWindow must be a whole number from 1 to 999999999, not '0'$/,
    ],
    [
      'an empty segment before the IP version is known',
      `Spread_Segment 1.2.3.4 { }${minimal}`,
      1,
      /ActiveIPVersion/,
    ],
    [
      'a timeout of 0',
      `${minimal}TokenTimeout = 0`,
      6,
      /TokenTimeout must be a whole number from 1 to 999999999, not '0'$/,
    ],
    [
      'windows that contradict',
      `${minimal}Window = 5`,
      6,
      /^PersonalWindow 20 \(the default\) is larger than Window 5$/,
    ],
    ['a number as a user', `${minimal}DaemonUser = 5`, 6, /in quotes/],
    ['an unknown priority', `${minimal}EventPriority = LOUD`, 6, /needs pDEBUG, INFO/],
    ['an unknown flag', `${minimal}DebugFlags = { LOUD }`, 6, /'LOUD' is not a flag/],
    [
      'too many daemons',
      segment(Array.from({ length: 129 }, (_, i) => `d${i} 1.2.3.${i}`).join('\n')),
      130,
      /more than 128 daemons/,
    ],
    ['an access policy', `${minimal}AccessControlPolicy = "SITE"`, 6, /only PERMIT/],
  ])('rejects %s and names the line', (_, text, line, message) => {
    const mistake = mistakesOf(text).at(-1)!;
    expect(mistake.message).toMatch(message);
    expect(mistake.line).toBe(line);
  });

  it.each([
    ['MaxSessionMessages', 1],
    ['Window', 1],
    ['AcceleratedWindow', 0],
    ['TokenTimeout', 1],
  ])('states the range of %s and the rejected text as in the file', (setting, least) => {
    for (const text of ['1000000000', '-5', '1.5', '"100"', "'100'", '1.2.3.4:5', '}'])
      expect(mistakesOf(`${minimal}${setting} = ${text}`)).toEqual([
        { line: 6, message: `${setting} must be a whole number from ${least} to 999999999, not '${text}'` },
      ]);
    expect(mistakesOf(`${minimal}${setting} =`)).toEqual([
      {
        line: 6,
        message: `${setting} must be a whole number from ${least} to 999999999, not the end of the file`,
      },
    ]);
  });

  it('accepts the smallest and the largest number', () => {
    const text = `${minimal}AcceleratedWindow = 0\nWindow = 999999999\nMaxSessionMessages = 1`;
    expect(parseSpreadConf(text).maxSessionMessages).toBe(1);
  });

  it.each([
    [`${minimal}DangerousMonitor = "yes"`, `DangerousMonitor needs true, yes, false or no, not '"yes"'`],
    [`${minimal}SocketPortReuse =`, 'SocketPortReuse needs on, off or auto, not the end of the file'],
    [`${minimal}ActiveIPVersion = 4`, "ActiveIPVersion needs IPv4 or IPv6, not '4'"],
    [`${minimal}ActiveIPVersion = "IPv5"`, `ActiveIPVersion needs IPv4 or IPv6, not '"IPv5"'`],
    [`${minimal}ActiveIPVersion =`, 'ActiveIPVersion needs IPv4 or IPv6, not the end of the file'],
    [`${minimal}EventPriority "INFO"`, `expected = after EventPriority, found '"INFO"'`],
    [`${minimal}DebugFlags = {`, 'expected } at the end of DebugFlags, found the end of the file'],
    [`${minimal}DebugFlags = { !`, 'the end of the file is not a flag of DebugFlags'],
    [`${minimal}"Window" = 5`, `'"Window"' is neither a setting of spread.conf nor Spread_Segment`],
    [
      segment('d 1.2.3.4 VirtualID = 1000000000'),
      "VirtualID must be a whole number from 1 to 999999999, not '1000000000'",
    ],
    [
      segment('d 1.2.3.4 { C 1.2.3.4:5 }'),
      "expected an interface ([M] [C] [D] address) or }, found '1.2.3.4:5'",
    ],
    [segment('[fe80::1]:5'), "expected a daemon (name, address or both) or }, found '[fe80::1]:5'"],
    [
      'Spread_Segment 1.2.3.4:100000 { }',
      "expected an address after Spread_Segment, with or without ':port', found '1.2.3.4:100000'",
    ],
    [
      `${minimal}AccessControlPolicy = SITE`,
      'the embedded daemon has no authentication and no access control, so it does not accept AccessControlPolicy = SITE; only PERMIT is supported',
    ],
  ])('shows the rejected text of %j as in the file', (text, message) => {
    expect(mistakesOf(text).map((mistake) => mistake.message)).toEqual([message]);
  });

  it('reports mistakes that do not hide others together', () => {
    const text = `${minimal}MaxSessionMessages = 0\nRequiredAuthMethods = "IP"\n`;
    expect(mistakesOf(text).map(({ line }) => line)).toEqual([6, 7]);
  });

  it('names the daemons of the file when the wanted one is missing', () => {
    expect(mistakesOf(full, { name: 'nobody' })[0]!.message).toMatch(
      /'nobody'; the file has 'localhost', 'other1'/,
    );
    expect(
      mistakesOf(segment('a 10.0.0.1 b 10.0.0.2'), { localAddresses: ['10.0.0.3'] })[0]!.message,
    ).toMatch(/-n: 'a', 'b'/);
  });
});
