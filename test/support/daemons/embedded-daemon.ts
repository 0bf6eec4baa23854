import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type DaemonEvent,
  EmbeddedDaemon,
  type EmbeddedDaemonOptions,
  listen,
} from '../../../server/src/daemon/index.js';
import { temporaryFolder } from '../tmp.js';

export interface RunningDaemon {
  readonly daemon: EmbeddedDaemon;
  readonly tcp: { readonly host: string; readonly port: number };
  readonly unix: { readonly path: string };
  /** All reported events. */
  readonly events: DaemonEvent[];
}

/** An embedded daemon on a free port and a Unix socket. It stops at the end of the running test. */
export async function startEmbeddedDaemon(options: EmbeddedDaemonOptions = {}): Promise<RunningDaemon> {
  const events: DaemonEvent[] = [];
  const daemon = new EmbeddedDaemon({ onEvent: (event) => events.push(event), ...options });
  const path = join(temporaryFolder(), 'spread');
  const listening = await listen({ daemon, tcp: { host: '127.0.0.1', port: 0 }, unixPath: path });
  onTestFinished(async () => {
    await listening.close();
    await daemon.close();
  });
  return { daemon, tcp: { host: '127.0.0.1', port: listening.tcpPort! }, unix: { path }, events };
}
