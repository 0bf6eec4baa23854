import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromRole, RoleAnswer, RoleOrder, ToRole } from './roles/order.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ROLE = fileURLToPath(new URL('roles/role.ts', import.meta.url));

/** A role of a measurement in its own process. */
export class RoleProcess {
  readonly #child: ChildProcess;
  readonly #messages: FromRole[] = [];
  readonly #exited: Promise<void>;
  #wake: (() => void)[] = [];
  #failure: Error | undefined;

  /**
   * Resolves when all connections of the role are open.
   *
   * @param node - path of the Node binary that runs the role
   */
  static async start(node: string, order: RoleOrder): Promise<RoleProcess> {
    const role = new RoleProcess(node, order);
    try {
      await role.#next('ready');
      return role;
    } catch (error) {
      await role.end();
      throw error;
    }
  }

  private constructor(node: string, order: RoleOrder) {
    this.#child = spawn(node, ['--import', 'tsx', ROLE, JSON.stringify(order)], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => {
      this.#messages.push(message as FromRole);
      this.#wakeAll();
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#failure ??= new Error(`the role ${order.job} ended with ${code ?? signal}`);
        this.#wakeAll();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  go(): void {
    this.#say({ say: 'go' });
  }

  /** Requests that a drain role receives `count` events. The response has the time that this took. */
  take(count: number): void {
    this.#say({ say: 'take', count });
  }

  /** Resolves when the warm-up of the role has ended. */
  async warm(): Promise<void> {
    await this.#next('warm');
  }

  async answer(): Promise<RoleAnswer> {
    return (await this.#next('answer')).answer;
  }

  /** Requests a stop and waits for the end of the process. */
  async stop(): Promise<void> {
    this.#say({ say: 'stop' });
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#exited;
    clearTimeout(killer);
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #say(message: ToRole): void {
    if (this.#child.connected) this.#child.send(message);
  }

  async #next<Say extends FromRole['say']>(what: Say): Promise<Extract<FromRole, { say: Say }>> {
    for (;;) {
      const failed = this.#messages.find((message) => message.say === 'failed');
      if (failed?.say === 'failed') throw new Error(failed.why);
      const at = this.#messages.findIndex(({ say }) => say === what);
      if (at >= 0) return this.#messages.splice(at, 1)[0] as Extract<FromRole, { say: Say }>;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
