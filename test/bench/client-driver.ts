import type { Client } from '../../scripts/clients/index.mjs';
import { DriverProcess } from '../conformance/driver-process.js';
import type { Server } from './servers/server-process.js';

/**
 * The conformance driver of a client, which can also measure. One process serves all rounds, so that it is warm
 * like a long-running program.
 */
export class ClientDriver implements Server {
  private constructor(
    readonly name: string,
    private readonly driver: DriverProcess,
  ) {}

  static async start(client: Client, asyncio: boolean): Promise<ClientDriver> {
    await client.prepare();
    const command = asyncio ? client.asyncDriver?.() : client.driver();
    if (command === undefined) throw new Error(`${client.language} has no such driver`);
    return new ClientDriver(client.language, await DriverProcess.start(command, client.language));
  }

  get pid(): number {
    return this.driver.pid;
  }

  /** One measurement. test/conformance/README.md describes the result. */
  async measure(op: string, args: object): Promise<Record<string, unknown>> {
    const answer = await this.driver.request(op, args).answer;
    if ('error' in answer) throw new Error(`${this.name}: ${answer.error.message}\n${this.driver.stderr}`);
    return answer.ok as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    await this.driver.stop();
  }
}
