import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Time that a thread gets for an answer. Unit: ms. */
const ANSWER_MS = 120_000;

/** A file of this folder in its own thread, so that its work does not delay the measurements of the check. */
export class CheckThread<Answer> {
  readonly #worker: Worker;

  /** @param file - it answers 'ready', and then each message with an `Answer` */
  private constructor(file: string, workerData: unknown) {
    const url = new URL(file, import.meta.url).href;
    // A thread of Node 20 does not use the loader of its process.
    const program = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(url)}); });`;
    this.#worker = new Worker(program, { eval: true, workerData, execArgv: [] });
  }

  /** Resolves when the thread is ready. */
  static async start<Answer>(file: string, workerData: unknown): Promise<CheckThread<Answer>> {
    const thread = new CheckThread<Answer>(file, workerData);
    await thread.#answer();
    return thread;
  }

  /** Rejects if the thread fails. */
  async ask(message: unknown): Promise<Answer> {
    const answer = this.#answer();
    this.#worker.postMessage(message);
    return (await answer) as Answer;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  async #answer(): Promise<unknown> {
    const [answer] = await once(this.#worker, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer;
  }
}
