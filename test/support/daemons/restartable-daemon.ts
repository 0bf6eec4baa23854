import { onTestFinished } from 'vitest';
import { EmbeddedDaemon, type EmbeddedDaemonOptions, listen } from '../../../server/src/daemon/index.js';

/**
 * An embedded daemon that can be stopped and restarted on the same port or Unix socket. It stops at the end
 * of the running test.
 */
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

  /** Its Spread name. */
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

  /** Closes all sessions. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    // First stop accepting, then close the connections: the listener closes after its last connection.
    await Promise.all([running?.close(), running?.daemon.close()]);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}
