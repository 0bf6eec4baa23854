import { onTestFinished } from 'vitest';
import { EmbeddedDaemon, type EmbeddedDaemonOptions, listen } from '../../../server/src/daemon/index.js';

/** An embedded daemon that can be stopped and started again at the same port or Unix socket; it ends with the running test. */
export class RestartableDaemon {
  #running: { daemon: EmbeddedDaemon; close(): Promise<void> } | undefined;
  #port = 0;

  private constructor(
    readonly options: EmbeddedDaemonOptions,
    readonly unixPath: string | undefined,
  ) {}

  static async start(options: EmbeddedDaemonOptions = {}, unixPath?: string): Promise<RestartableDaemon> {
    const daemon = new RestartableDaemon(options, unixPath);
    await daemon.start();
    onTestFinished(() => daemon.stop());
    return daemon;
  }

  /** Its spread name. */
  get address(): string {
    return this.unixPath ?? `${this.#port}@127.0.0.1`;
  }

  async start(): Promise<void> {
    const daemon = new EmbeddedDaemon(this.options);
    const where =
      this.unixPath === undefined
        ? { tcp: { host: '127.0.0.1', port: this.#port } }
        : { unixPath: this.unixPath };
    const listening = await listen({ daemon, ...where });
    this.#port = listening.tcpPort ?? 0;
    this.#running = { daemon, close: () => listening.close() };
  }

  /** Cuts every session. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    // First nobody new, then nobody at all; the listener is closed when its last connection is.
    await Promise.all([running?.close(), running?.daemon.close()]);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}
