import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedDaemon, listen } from '../../server/src/daemon/index.js';
import { freeSpreadPort, RealSpread } from '../support/daemons/real-spread.js';
import { Tool } from '../support/tool.js';
import { until } from '../support/until.js';

/** Spread's own unmodified programs, with the embedded daemon and with a real one. They must print the same. */

const home = process.env.SPREAD_HOME ?? '';
const has = (program: string) => home !== '' && existsSync(join(home, 'bin', program));
const hasJava =
  home !== '' && existsSync(join(home, 'java', 'spread.jar')) && spawnSync('java', ['-version']).status === 0;
const title = 'Spread’s own programs (set SPREAD_HOME=/path/to/spread, with bin/ and sbin/)';

interface Daemon {
  readonly port: number;
  /** Number of members in all groups, where the daemon reports it. */
  members?(): number;
  stop(): Promise<void>;
}

/** The Unix socket has the path that Spread's library uses: /tmp/<port>. */
async function startEmbedded(): Promise<Daemon> {
  const daemon = new EmbeddedDaemon();
  const tcp = await listen({ daemon, tcp: { host: '127.0.0.1', port: await freeSpreadPort() } });
  const unix = await listen({ daemon, unixPath: `/tmp/${tcp.tcpPort}` });
  return {
    port: tcp.tcpPort!,
    members: () => daemon.counters().memberships,
    stop: async () => {
      await Promise.all([tcp.close(), unix.close()]);
      await daemon.close();
    },
  };
}

/**
 * Parts of the output that differ between runs: the daemon's address, its start time, and the position of prompts.
 */
function comparable(output: string, port: number): string[] {
  return output
    .replaceAll(`${port}@127.0.0.1`, 'ADDRESS')
    .replaceAll(String(port), 'ADDRESS')
    .replaceAll(/(grp id is|Group ID is) (\d+) \d+ (\d+)/g, '$1 $2 TIME $3')
    .replaceAll(/User> |Enter message: |enter message: /g, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

describe.skipIf(!has('spuser'))(title, () => {
  const daemons: Record<'embedded' | 'real', Daemon> = {} as never;
  beforeAll(async () => {
    daemons.embedded = await startEmbedded();
    daemons.real = await RealSpread.start();
  });
  afterAll(async () => {
    await daemons.embedded?.stop();
    await daemons.real?.stop();
  });

  const places = [
    { place: 'TCP', address: (port: number) => `${port}@127.0.0.1` },
    { place: 'the Unix socket', address: (port: number) => `${port}` },
  ];

  /** Runs the same session on both daemons. The programs must print the same. */
  async function compare(
    address: (port: number) => string,
    session: (address: string) => Promise<string[]>,
  ): Promise<void> {
    const outputs: string[][] = [];
    for (const { port } of [daemons.embedded, daemons.real])
      outputs.push((await session(address(port))).flatMap((output) => comparable(output, port)));
    expect(outputs[0]).toEqual(outputs[1]);
  }

  describe.each(places)('by $place', ({ address }) => {
    it('spuser prints the same views and messages', async () => {
      await compare(address, async (at) => {
        const start = (name: string) => new Tool(join(home, 'bin', 'spuser'), ['-u', name, '-s', at]);
        const anna = start('anna');
        await anna.prints('with private group #anna#localhost');
        const bert = start('bert');
        await bert.prints('with private group #bert#localhost');
        anna.type('j room');
        await anna.prints('Due to the JOIN of #anna#localhost');
        bert.type('j room');
        for (const user of [anna, bert]) await user.prints('Due to the JOIN of #bert#localhost');
        anna.type('s room');
        await anna.prints('enter message:');
        anna.type('hello');
        for (const user of [anna, bert]) await user.prints('(6 bytes): hello');
        bert.type('s #anna#localhost');
        await bert.prints('enter message:');
        bert.type('only you');
        await anna.prints('only you');
        bert.type('l room');
        await bert.prints('received membership message that left group room');
        await anna.prints('Due to the LEAVE of #bert#localhost');
        bert.type('j room');
        for (const user of [anna, bert]) await user.prints('Due to the JOIN of #bert#localhost');
        bert.type('q');
        expect(await bert.exits()).toBe(0);
        await anna.prints('Due to the DISCONNECT of #bert#localhost');
        anna.type('q');
        expect(await anna.exits()).toBe(0);
        return [anna.output, bert.output];
      });
    });

    it('flush_user prints the same views, flush requests and messages', async () => {
      await compare(address, async (at) => {
        const start = (name: string) => new Tool(join(home, 'bin', 'flush_user'), ['-u', name, '-s', at]);
        const anna = start('anna');
        await anna.prints('with private group #anna#localhost');
        const bert = start('bert');
        await bert.prints('with private group #bert#localhost');
        anna.type('j flush');
        anna.type('r');
        await anna.prints('Due to the JOIN of #anna#localhost');
        bert.type('j flush');
        anna.type('r');
        await anna.prints('received a FLUSH_REQ message for group flush');
        anna.type('f flush');
        await anna.prints('Sent a FLUSH_OK message');
        // Each program answers the other's messages only while it receives.
        for (const user of [anna, bert]) user.type('r');
        for (const user of [anna, bert]) await user.prints('Due to the JOIN of #bert#localhost');
        anna.type('s flush');
        await anna.prints('enter message:');
        anna.type('hello');
        for (const user of [anna, bert]) {
          user.type('r');
          await user.prints('received SAFE message from #anna#localhost');
          await user.prints('There are 0 buffered messages');
        }
        bert.type('q');
        expect(await bert.exits()).toBe(0);
        return [anna.output, bert.output];
      });
    });

    // Spread builds spping but does not install it.
    it.skipIf(!has('spping'))('spping reaches its reflector', async () => {
      const at = address(daemons.embedded.port);
      const spping = (...args: string[]) => new Tool(join(home, 'bin', 'spping'), ['-s', at, ...args]);
      const reflector = spping('-ro', '-u', 'refl');
      await reflector.prints("connected as '#refl#localhost'");
      await reflector.prints('only reflecting');
      const ping = spping('-u', 'ping', '-m', '5', '-p', '20');
      for (let i = 0; i < 5; i++) await ping.prints(`48 bytes from #refl#localhost: seq = ${i}`);
      await ping.prints('0.000000% packet loss');
    });

    it('spflooder receives all messages that it sends', async () => {
      await compare(address, async (at) => {
        const flooder = new Tool(join(home, 'bin', 'spflooder'), [
          '-u',
          'fl',
          '-s',
          at,
          '-m',
          '10000',
          '-b',
          '1000',
        ]);
        expect(await flooder.exits(60_000)).toBe(0);
        expect(flooder.output).toContain('completed multicast of 10000 messages, 1000 bytes each.');
        return [flooder.output];
      });
    });

    it('spflooder loses nothing with two members that send to each other', async () => {
      const at = address(daemons.embedded.port);
      const members = ['m1', 'm2'].map(
        (name) =>
          new Tool(join(home, 'bin', 'spflooder'), [
            '-u',
            name,
            '-s',
            at,
            '-m',
            '5000',
            '-n',
            '2',
            '-b',
            '500',
          ]),
      );
      for (const member of members) {
        expect(await member.exits(60_000)).toBe(0);
        expect(member.output).toContain('completed multicast of 5000 messages, 500 bytes each.');
      }
    });

    it('spflooder that only sends does not cause the disconnect of readers', async () => {
      const at = address(daemons.embedded.port);
      const flooder = (name: string, ...args: string[]) =>
        new Tool(join(home, 'bin', 'spflooder'), ['-u', name, '-s', at, '-m', '30000', '-b', '100', ...args]);
      const readers = [flooder('r1', '-ro'), flooder('r2', '-ro')];
      await until(() => daemons.embedded.members?.() === 2, { what: 'both readers are members' });
      const writer = flooder('w', '-wo');
      expect(await writer.exits(60_000)).toBe(0);
      for (const reader of readers) {
        expect(await reader.exits(60_000)).toBe(0);
        expect(reader.output).toContain('completed multicast of 30000 messages');
      }
    });
  });

  it.skipIf(!hasJava)(
    'the Java client prints the same',
    async () => {
      const classes = [join(home, 'java', 'spread.jar'), join(home, 'java')].join(':');
      const sorted = async (port: number) => {
        const start = async (name: string) => {
          const user = new Tool('java', [
            '-cp',
            classes,
            'User',
            '-s',
            '127.0.0.1',
            '-p',
            String(port),
            '-u',
            name,
          ]);
          await user.prints('User> ', 30_000);
          return user;
        };
        const anna = await start('anna');
        const bert = await start('bert');
        anna.type('j java');
        await anna.prints('Due to the JOIN of #anna#localhost');
        bert.type('j java');
        for (const user of [anna, bert]) await user.prints('Due to the JOIN of #bert#localhost');
        anna.type('s java');
        // The program reads all available input as one line.
        await anna.prints('Enter message:');
        anna.type('hello from Java');
        for (const user of [anna, bert]) await user.prints('The message is: hello from Java');
        bert.type('l');
        await anna.prints('Due to the LEAVE of #bert#localhost');
        bert.type('j java');
        await anna.prints('Due to the JOIN of #bert#localhost');
        bert.type('q');
        await anna.prints('Due to the DISCONNECT of #bert#localhost');
        anna.type('q');
        expect(await anna.exits()).toBe(0);
        // Two threads of the program can print at the same time.
        return comparable(anna.output, port).sort();
      };
      expect(await sorted(daemons.embedded.port)).toEqual(await sorted(daemons.real.port));
    },
    60_000,
  );
});
