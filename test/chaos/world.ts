import { loadConfig } from '../../server/src/config/index.js';
import { EmbeddedDaemon, listen } from '../../server/src/daemon/index.js';
import { createLogger } from '../../server/src/observability/index.js';
import { createSidecar } from '../../server/src/sidecar.js';
import { formatAddress, parseAddress } from '../../server/src/spread/address.js';
import { FaultProxy } from '../support/fault-proxy.js';

export interface WorldOptions {
  /** A spread name. Default: an embedded daemon of its own. */
  readonly daemon?: string;
  readonly apps: number;
}

/** The two links of an application: to the sidecar, and the sidecar's own to the daemon on its behalf. */
export interface AppLinks {
  readonly app: FaultProxy;
  readonly daemon: FaultProxy;
}

/** A daemon, a sidecar, and a faulty network on both sides of it. */
export interface World {
  /** The daemon, without a fault in between. */
  readonly daemon: string;
  readonly links: readonly AppLinks[];
  /** What the sidecar logged as an error: there is to be none. */
  readonly defects: string[];
  stop(): Promise<void>;
}

/** Stands it up on free ports of the loopback. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.reverse()) await end();
  };
  try {
    const daemon = options.daemon ?? (await startDaemon(stops));
    const address = parseAddress(daemon);
    const target =
      address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
    const open = async (to: Parameters<typeof FaultProxy.start>[0]) => {
      const proxy = await FaultProxy.start(to);
      stops.push(() => proxy.stop());
      return proxy;
    };
    const toDaemon = await Promise.all(Array.from({ length: options.apps }, () => open(target)));
    const defects: string[] = [];
    const sidecar = createSidecar(await config(daemon, toDaemon), {
      logger: createLogger({
        level: 'error',
        format: 'json',
        destination: { write: (line) => defects.push(line.trim()) },
      }),
      version: '0.0.0-chaos',
      protoFolder: '',
    });
    stops.push(() => sidecar.stop({ graceMs: 0 }));
    await sidecar.start();
    const port = Number(sidecar.addresses.grpc[0]!.split(':').at(-1));
    const links = await Promise.all(toDaemon.map(async (link) => ({ app: await open(port), daemon: link })));
    return { daemon: formatAddress(address), links, defects, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDaemon(stops: (() => Promise<void>)[]): Promise<string> {
  const daemon = new EmbeddedDaemon({ name: 'localhost' });
  const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 } });
  stops.push(async () => {
    await listening.close();
    await daemon.close();
  });
  return `${listening.tcpPort}@127.0.0.1`;
}

async function config(daemon: string, toDaemon: readonly FaultProxy[]) {
  const { config } = await loadConfig({
    flags: {
      'grpc-listen': '127.0.0.1:0',
      'grpc-reflection': 'false',
      'admin-listen': 'off',
      'daemon-addresses': daemon,
      'daemon-allow': toDaemon.map((link) => `${link.port}@127.0.0.1`),
      'daemon-connect-timeout': '2s',
    },
  });
  return config;
}
