import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DaemonProcess } from '../support/daemons/daemon-process.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { isAvailable } from '../support/requirements.mjs';
import { tallyOrders } from '../support/sidecars/order-journal.js';
import { freePort, SidecarProcess } from '../support/sidecars/sidecar-process.js';
import { temporaryFolder } from '../support/tmp.js';
import { until, within } from '../support/until.js';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'docs', 'examples', 'rolling-update');

/**
 * A program of the example and its own sidecar. The sidecar starts before the program and ends after it, like a
 * native sidecar.
 */
class Pod {
  readonly state = temporaryFolder();
  readonly #socket = join(temporaryFolder(), 's');
  readonly #environment: NodeJS.ProcessEnv;
  #app: ChildProcess | undefined;
  output = '';

  private constructor(
    private readonly program: string,
    private readonly sidecar: SidecarProcess,
    private readonly readyPort: number,
    journal: string,
    socket: string,
  ) {
    this.#socket = socket;
    this.#environment = {
      ...process.env,
      SPREAD_SIDECAR_TARGET: `unix:${this.#socket}`,
      JOURNAL: journal,
      STATE: this.state,
      READY_PORT: `${readyPort}`,
    };
  }

  static async start(program: string, daemon: string, journal: string): Promise<Pod> {
    const socket = join(temporaryFolder(), 's');
    const adminPort = await freePort();
    const sidecar = new SidecarProcess([
      ...['--grpc-listen', `unix:${socket}`, '--admin-listen', `127.0.0.1:${adminPort}`],
      ...['--daemon-addresses', daemon],
    ]);
    await sidecar.ready(adminPort);
    const pod = new Pod(program, sidecar, await freePort(), journal, socket);
    pod.startApp();
    onTestFinished(() => void pod.#app?.kill('SIGKILL'));
    return pod;
  }

  startApp(): void {
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    this.#app = spawn(process.execPath, [join(EXAMPLE, this.program)], {
      env: this.#environment,
      stdio: [...stdio],
    });
    for (const stream of [this.#app.stdout!, this.#app.stderr!])
      stream.on('data', (chunk) => {
        this.output += chunk;
      });
  }

  /** The result of a readiness probe. */
  async ready(): Promise<void> {
    await until(
      () =>
        fetch(`http://127.0.0.1:${this.readyPort}`).then(
          ({ ok }) => ok,
          () => false,
        ),
      {
        timeoutMs: 20_000,
        what: `${this.program} is ready: ${this.output}`,
      },
    );
  }

  async killApp(): Promise<void> {
    const app = this.#app!;
    const ended = once(app, 'exit');
    app.kill('SIGKILL');
    await ended;
  }

  /** Ends a pod like Kubernetes: the application first, then the native sidecar. */
  async stop(): Promise<void> {
    const ended = once(this.#app!, 'exit');
    this.#app!.kill('SIGTERM');
    const [code] = await within(ended, `${this.program} ends`, 20_000);
    expect(code, this.output).toBe(0);
    this.sidecar.kill('SIGTERM');
    expect(await within(this.sidecar.exited, 'the sidecar ends', 20_000)).toEqual({ code: 0, signal: null });
  }
}

/** The embedded daemon in its own process, or a real daemon. */
async function startDaemon(kind: string): Promise<string> {
  if (kind === 'real') {
    const spread = await RealSpread.start();
    onTestFinished(() => spread.stop());
    return `${spread.port}@127.0.0.1`;
  }
  const daemon = new DaemonProcess(await freePort());
  await daemon.start();
  onTestFinished(() => daemon.kill());
  return daemon.address;
}

/** A consumer that is ready, then a producer. `grow` waits until more messages are accepted. */
async function startTraffic(kind: string) {
  const daemon = await startDaemon(kind);
  const journal = temporaryFolder();
  const start = (program: string) => Pod.start(program, daemon, journal);
  const consumer = await start('consumer.mjs');
  await consumer.ready();
  const producer = await start('producer.mjs');
  const grow = async (messages = 50) => {
    const before = tallyOrders(journal).accepted;
    await until(() => tallyOrders(journal).accepted >= before + messages, {
      timeoutMs: 20_000,
      what: `${messages} further messages: ${producer.output}`,
    });
  };
  await grow();
  return { journal, start, consumer, producer, grow };
}

describe.each(['embedded', 'real'])(
  'the rolling update of docs/rolling-updates.md, with the %s daemon',
  (kind) => {
    it.skipIf(kind === 'real' && !isAvailable('spread-home'))(
      'processes every accepted message, also when the application crashes in between',
      { timeout: 120_000 },
      async () => {
        const { journal, start, producer, grow, ...first } = await startTraffic(kind);
        let { consumer } = first;
        const names = [/receiving as (\S+)/.exec(consumer.output)?.[1]];
        for (let update = 0; update < 3; update++) {
          const next = await start('consumer.mjs');
          await next.ready();
          await grow();
          await consumer.stop();
          consumer = next;
          names.push(/receiving as (\S+)/.exec(consumer.output)?.[1]);
          await grow();
        }
        // The sidecar keeps the mailbox. The new process continues after the last acknowledged event.
        await consumer.killApp();
        await grow();
        consumer.startApp();
        await consumer.ready();
        await grow();
        await producer.stop();
        await consumer.stop();

        const { missing, accepted, duplicates } = tallyOrders(journal);
        process.stdout.write(
          `${kind}: ${accepted} accepted, ${missing.length} missing, ${duplicates} twice\n`,
        );
        expect(missing).toEqual([]);
        // Both consumers of an update process the messages that arrived while both were members.
        expect(duplicates).toBeGreaterThan(0);
        expect(names).toEqual([
          '#orders#localhost',
          '#orders2#localhost',
          '#orders#localhost',
          '#orders2#localhost',
        ]);
      },
    );

    it.skipIf(kind === 'real' && !isAvailable('spread-home'))(
      'would lose messages if the old pod ended before the new one was ready',
      { timeout: 60_000 },
      async () => {
        const { journal, start, consumer, producer, grow } = await startTraffic(kind);
        await consumer.stop();
        await grow();
        const next = await start('consumer.mjs');
        await next.ready();
        await grow();
        await producer.stop();
        await next.stop();
        expect(tallyOrders(journal).missing.length).toBeGreaterThan(0);
      },
    );
  },
);
