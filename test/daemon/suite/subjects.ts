import { mkdtempSync, rmSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { EmbeddedDaemon, listen } from '../../../server/src/daemon/index.js';
import { parseAddress } from '../../../server/src/spread/address.js';
import { RawClient, type RawClientOptions } from '../../support/daemons/raw-client.js';
import { RealSpread } from '../../support/daemons/real-spread.js';
import { isAvailable } from '../../support/requirements.mjs';

/** A daemon under test. All tests of a file may share it. */
export interface SubjectDaemon {
  readonly tcp: NetConnectOpts;
  /** Undefined if the machine has no such daemon. */
  readonly unix: NetConnectOpts | undefined;
  stop(): Promise<void>;
}

interface Subject {
  readonly name: string;
  readonly available: boolean;
  start(): Promise<SubjectDaemon>;
}

async function startEmbedded(): Promise<SubjectDaemon> {
  const daemon = new EmbeddedDaemon();
  const folder = mkdtempSync(join(tmpdir(), 'sps-'));
  const path = join(folder, 'spread');
  const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 }, unixPath: path });
  return {
    tcp: { host: '127.0.0.1', port: listening.tcpPort! },
    unix: { path },
    stop: async () => {
      await listening.close();
      await daemon.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** SPREAD_DAEMON is the address of a running daemon. Without it, the test starts one from SPREAD_HOME. */
async function startReal(): Promise<SubjectDaemon> {
  if (!process.env.SPREAD_DAEMON) return RealSpread.start();
  const address = parseAddress(process.env.SPREAD_DAEMON);
  const tcp = address.kind === 'tcp' ? { host: address.host, port: address.port } : { path: address.path };
  return { tcp, unix: undefined, stop: async () => {} };
}

const subjects: readonly Subject[] = [
  { name: 'embedded daemon', available: true, start: startEmbedded },
  {
    name: isAvailable('spread')
      ? 'real Spread'
      : 'real Spread (set SPREAD_HOME=/path/to/spread or SPREAD_DAEMON=4803@host)',
    available: isAvailable('spread'),
    start: startReal,
  },
];

/** The resources of a test. Names are unique for each test, because tests can share a daemon. */
export interface Bench {
  readonly daemon: SubjectDaemon;
  connect(name: string, options?: Omit<RawClientOptions, 'name'>): Promise<RawClient>;
  /** The private name that `connect(name)` uses. */
  privateName(name: string): string;
  /** A group name that only this test uses. Names sort like the given names. */
  group(name: string): string;
}

/** Runs the same tests on the embedded daemon and, if there is one, on a real daemon. */
export function describeDaemons(what: string, tests: (bench: () => Bench) => void): void {
  for (const { name, available, start } of subjects) {
    describe.skipIf(!available)(`${what}: ${name}`, () => {
      let daemon: SubjectDaemon;
      beforeAll(async () => {
        daemon = await start();
      });
      afterAll(() => daemon?.stop());
      tests(() => bench(daemon));
    });
  }
}

// Test files run in parallel processes.
const processTag = (process.pid % 1296).toString(36).padStart(2, '0');
let serial = 0;

function bench(daemon: SubjectDaemon): Bench {
  serial += 1;
  const tag = `${processTag}${serial.toString(36)}`;
  const privateName = (name: string) => `${name}${tag}`;
  return {
    daemon,
    privateName,
    group: (name) => `${name}-${tag}`,
    connect: (name, options) => RawClient.connect(daemon.tcp, { ...options, name: privateName(name) }),
  };
}
