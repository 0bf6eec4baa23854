import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSpreadConf, SpreadConfError } from '../../server/src/daemon/spread-conf/spread-conf.js';
import { Random } from '../chaos/random.js';
import { isAvailable } from '../support/requirements.mjs';

const FILES = 300;
const SLOW_MS = 180_000;
/** A daemon name that no file contains. Real Spread reads the whole file, does not find this name, and exits. */
const MISSING = 'missing';

const TOKENS = [
  ...['{', '}', '=', ';', ':', '!', '#', '\n', "''", '"a b"', "'INFO'", 'a;', 'VirtualID', 'M', 'C', 'D'],
  ...['a', 'b', 'c', '5', '0', '1234567890', 'INFO', 'ALL', 'yes', 'Off', 'auto', 'Spread_Segment'],
  ...[
    '10.0.0.1',
    '10.0.0.2',
    '0.0.0.0',
    '225.0.0.1',
    '10.0.0.255:70000',
    '10.0.0.255:5000',
    '10.0.0.1:5',
    '::',
    'fe80::1',
  ],
];
/** Settings that Spread accepts together with the defaults of all other settings. */
const SETTINGS = [
  ...['Window = 160', 'PersonalWindow = 15', 'AcceleratedRing = yes', 'AcceleratedWindow = 0'],
  ...['AcceleratedWindow = 25', 'LookupTimeout = 100', 'DebugFlags = { ALL !MEMORY }', 'DebugFlags = { }'],
  ...['DebugFlags = { ! ALL }', 'EventPriority = pDEBUG', 'EventTimeStamp', 'EventTimeStamp = "%a"'],
  ...['EventPreciseTimeStamp', 'DaemonUser = root', 'RuntimeDir = "/tmp"', 'SocketPortReuse = AUTO'],
  ...['DangerousMonitor = No', 'MaxSessionMessages = 5', 'ActiveIPVersion = IPv4', 'WideAreaNetwork = TRUE'],
];
const WRONG_SETTINGS = [
  ...['Window = 5', 'Window=5', 'PersonalWindow = 0', 'PersonalWindow = 200', 'AcceleratedRing = 1'],
  ...['TokenTimeout = 0', 'DebugFlags = { LOUD }', 'EventPriority = DEBUG', 'EventPriority = 5'],
  ...[
    'EventTimeStamp = 5',
    'DaemonUser = 5',
    'DaemonGroup = ALL',
    'RuntimeDir = on',
    'SocketPortReuse = yes',
  ],
  ...['MaxSessionMessages = many', 'ActiveIPVersion = IPv6', 'ActiveIPVersion = IPv5'],
];
/** Daemons that can all be in one file. */
const DAEMONS = [
  ...['a 10.0.0.1', 'b 10.0.0.2', '10.0.0.3 ;', '10.0.0.4', 'a; 10.0.0.5', '"x y" 10.0.0.6 ;'],
  ...['d 10.0.0.7 VirtualID = 5', 'e 10.0.0.8 VirtualID = 6', 'g 10.0.0.11 { D 10.0.0.11 C 0.0.0.0 }'],
  ...['m 10.0.0.14 { M D 0.0.0.0 }', 'aVeryLongNameOf24Letters 10.0.0.17'],
];
/** Daemons that Spread rejects, alone or beside one of DAEMONS. */
const WRONG_DAEMONS = [
  ...['10.0.0.4;', 'c 10.0.0.1', 'c 10.0.0.2 ;', 'f 10.0.0.9 VirtualID = 0', 'f 10.0.0.9 VirtualID = 5'],
  ...['six fe80::1', 'INFO 10.0.0.10', 'h 10.0.0.12 { C 10.0.0.12 }', 'i 10.0.0.13 { }', 'j 0.0.0.0'],
  ...['k 225.0.0.1', 'n 10.0.0.15 { 10.0.0.15:5 }', 'o 10.0.0.16 { eth0 }'],
];

/** Mostly a valid file. Sometimes one line or token is added, missing or replaced. */
function anyFile(random: Random): string {
  const pick = <T>(list: readonly T[]): T => list[random.int(0, list.length - 1)] as T;
  /** Distinct elements of `list`, rarely with one of `wrong`. */
  const several = (list: readonly string[], wrong: readonly string[], least: number, most: number) => {
    const left = [...list];
    const taken = Array.from(
      { length: random.int(least, most) },
      () => left.splice(random.int(0, left.length - 1), 1)[0] as string,
    );
    return random.chance(0.1) ? [...taken, pick(wrong)] : taken;
  };
  const daemons = several(DAEMONS, WRONG_DAEMONS, 1, 6);
  const cut = random.chance(0.5) ? daemons.length : random.int(0, daemons.length);
  const segments = [daemons.slice(0, cut), daemons.slice(cut)].filter((members) => members.length > 0);
  const lines = [
    ...several(SETTINGS, WRONG_SETTINGS, 0, 2),
    ...segments.flatMap((members, i) => [
      `Spread_Segment 10.0.${i}.255${pick(['', '', ':5000'])} {`,
      ...members,
      '}',
    ]),
    ...several(SETTINGS, WRONG_SETTINGS, 0, 2),
  ];
  const words = lines.join('\n').split(/(?<=\s)/);
  if (random.chance(0.5)) {
    const at = random.int(0, words.length - 1);
    words.splice(at, random.int(0, 1), ...(random.chance(0.5) ? [`${pick(TOKENS)} `] : []));
  }
  return words.join('');
}

/** The error of our parser. Undefined for a valid file. */
function ourMistake(text: string): string | undefined {
  try {
    parseSpreadConf(text, { name: MISSING });
  } catch (error) {
    if (!(error instanceof SpreadConfError)) throw error;
    return error.mistakes
      .map((m) => m.message)
      .find((message) => !message.startsWith('no daemon has the name'));
  }
  return undefined;
}

describe.skipIf(!isAvailable('spread-home'))('spread.conf, read here and by real Spread', () => {
  const folder = mkdtempSync(join(tmpdir(), 'conf-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The daemon always exits: after it has read the file, it does not find its own name there. */
  function theirMistake(text: string, name = MISSING): Promise<string | undefined> {
    const file = join(folder, 'spread.conf');
    writeFileSync(file, `${text}\n`);
    // Spread aborts at its end. Without stdbuf, its last output would stay in a buffer.
    const args = ['-oL', join(process.env.SPREAD_HOME!, 'sbin', 'spread'), '-n', name, '-c', file];
    return new Promise((resolve, reject) => {
      execFile(
        'stdbuf',
        args,
        { cwd: folder, timeout: 30_000, encoding: 'latin1' },
        (_error, stdout, stderr) => {
          const output = stdout + stderr;
          if (!output.includes('Exit caused by Alarm'))
            reject(new Error(`Spread did not end by itself:\n${output}`));
          else resolve(output.includes('is not in configuration') ? undefined : output.slice(-400));
        },
      );
    });
  }

  it.each([
    ['10.0.0.1;', true],
    ['10.0.0.1 ;', false],
    ['a 10.0.0.1\nb 10.0.0.1', true],
  ])('a segment with %j is rejected by both: %s', async (daemons, rejected) => {
    const text = `Spread_Segment 10.0.0.255 {\n${daemons}\n}`;
    expect(ourMistake(text) !== undefined).toBe(rejected);
    expect((await theirMistake(text)) !== undefined).toBe(rejected);
  });

  it('-n with 20 characters is rejected by both', async () => {
    const name = 'n'.repeat(20);
    const text = `Spread_Segment 10.0.0.255 { ${name} 10.0.0.1 }`;
    expect(() => parseSpreadConf(text, { name })).toThrow(/at most 19/);
    expect(await theirMistake(text, name)).toMatch(/too long/);
  });

  it(
    `${FILES} generated files are accepted or rejected alike`,
    async () => {
      const seed = Number(process.env.FUZZ_SEED ?? 1);
      const random = new Random(seed);
      const verdicts = { accepted: 0, rejected: 0 };
      const differences: string[] = [];
      for (let i = 0; i < FILES; i++) {
        const text = anyFile(random);
        const [ours, theirs] = [ourMistake(text), await theirMistake(text)];
        // Only Spread looks up the name of a daemon without an address.
        if (ours === undefined && theirs?.match(/Name or service not known|failure in name resolution/))
          continue;
        // Spread accepts an unclosed quote as part of a name. Our parser reports an error.
        if (theirs === undefined && ours?.match(/the quote . is not closed/)) continue;
        verdicts[theirs === undefined ? 'accepted' : 'rejected'] += 1;
        if ((ours === undefined) !== (theirs === undefined))
          differences.push(`${text}\n--- here: ${ours ?? 'accepted'}\n--- Spread: ${theirs ?? 'accepted'}`);
      }
      expect(differences, `seed ${seed}`).toEqual([]);
      expect(Math.min(verdicts.accepted, verdicts.rejected)).toBeGreaterThan(FILES / 5);
    },
    SLOW_MS,
  );
});
