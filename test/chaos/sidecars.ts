import { connect } from 'node:net';
import { loadConfig } from '../../server/src/config/index.js';
import { createLogger } from '../../server/src/observability/index.js';
import { createSidecar } from '../../server/src/sidecar.js';
import { freePort, ServeProcess } from '../support/sidecars/serve-process.js';
import { until } from '../support/until.js';
import type { Restartable } from './world-targets.js';

export interface SidecarOptions {
  /** The default daemon. */
  readonly daemon: string;
  /** Further daemons that applications may name. */
  readonly allow: readonly string[];
  /** Whether it is the built program in a separate process, which can be killed. */
  readonly ownProcess: boolean;
  /** Collects logged errors, and an unexpected end. */
  readonly defects: string[];
}

export interface RunningSidecar {
  /** The gRPC port. */
  readonly port: number;
  readonly process?: Restartable;
  stop(): Promise<void>;
}

/** Starts a sidecar on the loopback interface. */
export async function startSidecar(options: SidecarOptions): Promise<RunningSidecar> {
  return options.ownProcess ? startProcess(options) : startInside(options);
}

const settings = ({ daemon }: SidecarOptions, port: number) => ({
  'grpc-listen': `127.0.0.1:${port}`,
  'admin-listen': 'off',
  'daemon-addresses': daemon,
  'daemon-connect-timeout': '2s',
});

async function startInside(options: SidecarOptions): Promise<RunningSidecar> {
  const { allow, defects } = options;
  const { config } = await loadConfig({
    flags: { ...settings(options, 0), 'daemon-allow': [...allow], 'grpc-reflection': 'false' },
  });
  const sidecar = createSidecar(config, {
    logger: createLogger({
      level: 'error',
      format: 'json',
      destination: { write: (line) => defects.push(line.trim()) },
    }),
    version: '0.0.0-chaos',
  });
  await sidecar.start();
  const port = Number(sidecar.addresses.grpc[0]!.split(':').at(-1));
  return { port, stop: () => sidecar.stop({ graceMs: 0 }) };
}

async function startProcess(options: SidecarOptions): Promise<RunningSidecar> {
  const { allow, defects } = options;
  const port = await freePort();
  const flags = { ...settings(options, port), 'daemon-allow': allow.join(), 'log-level': 'error' };
  const args = Object.entries({ ...flags, 'log-format': 'json' }).flatMap(([name, value]) => [
    `--${name}`,
    value,
  ]);
  let running: ServeProcess | undefined;
  const process: Restartable = {
    signal: (signal) => running?.kill(signal),
    async kill() {
      const ending = running;
      running = undefined;
      await ending?.end();
    },
    async start() {
      const started = new ServeProcess(args);
      running = started;
      void started.exited.then(({ code, signal }) => {
        defects.push(...started.stderr.split('\n').filter((line) => line !== ''));
        if (running === started) defects.push(`that it ended by itself: code ${code}, signal ${signal}`);
      });
      await until(() => accepts(port), { timeoutMs: 20_000, what: `a sidecar listens on ${port}` });
    },
  };
  await process.start();
  return { port, process, stop: () => process.kill() };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
