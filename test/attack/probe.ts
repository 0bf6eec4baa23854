import { get } from 'node:http';
import { Latencies, type Phase } from './latencies.js';

/** Interval between probes. Unit: ms. */
const PACE_MS = 100;
/** Time after which a probe fails. Unit: ms. */
const PATIENCE_MS = 10_000;

/** Asks `/livez` again and again, each time on a new connection, as a kubelet does. */
export class Probe {
  /** From the time when a probe was due to its answer, with the connection. */
  readonly latencies = new Latencies();
  readonly problems: string[] = [];
  phase: Phase = 'rest';
  readonly #running: Promise<void>;
  #stopped = false;

  /** @param host - an address without brackets */
  constructor(
    private readonly port: number,
    private readonly host = '127.0.0.1',
  ) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const { phase } = this;
      const startedAt = performance.now();
      const outcome = await probe(this.host, this.port);
      const ms = performance.now() - startedAt;
      this.latencies.add(phase, ms);
      if (outcome !== '200' && this.problems.length < 5)
        this.problems.push(`/livez: ${outcome} after ${ms.toFixed(0)} ms`);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, PACE_MS - ms)));
    }
  }
}

/** The status, or what went wrong. */
function probe(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ port, host, path: '/livez', agent: false }, (response) => {
      response.resume();
      response.once('end', () => resolve(String(response.statusCode)));
      response.once('error', (error) => resolve(error.message));
    });
    request.once('error', (error) => resolve(error.message));
    request.setTimeout(PATIENCE_MS, () => request.destroy(new Error('no answer')));
  });
}
