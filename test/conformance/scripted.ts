import type { FrameForm } from '../support/scripted/frames.js';
import {
  type RecordedCall,
  type ScriptedAnswer,
  type ScriptedError,
  ScriptedSidecar,
} from '../support/scripted/scripted-sidecar.js';
import { until } from '../support/until.js';
import type { Case } from './case-format.js';
import type { DriverProcess } from './driver-process.js';
import { differences } from './matching.js';
import type { Surroundings } from './run-case.js';
import type { Variables } from './variables.js';

/** The environment of a case with a scripted sidecar. */
export interface ScriptedStage extends Surroundings {
  stop(): Promise<void>;
}

/** How long a step waits for a call, a connection or a stream. Unit: ms. */
const WAIT_MS = 10_000;

type Args = Record<string, unknown>;

/** The process of the driver, which the case can stop, and its clock if the case can change it. */
interface Client {
  readonly driver: DriverProcess;
  readonly clock: { set(seconds: number): void } | undefined;
}

/** Starts the scripted sidecar of a case. */
export async function setScriptedStage(
  { setup }: Case,
  variables: Variables,
  client: Client,
): Promise<ScriptedStage> {
  const sidecar = await ScriptedSidecar.start();
  const stage = new Stage(sidecar, variables, client);
  for (const [method, answer] of Object.entries(setup.answers ?? {})) sidecar.always(method, answer);
  variables.set('target', sidecar.target);
  return stage;
}

class Stage implements ScriptedStage {
  readonly #sidecar: ScriptedSidecar;
  readonly #variables: Variables;
  readonly #client: Client;
  readonly #marks = new Map<string, number>();

  constructor(sidecar: ScriptedSidecar, variables: Variables, client: Client) {
    this.#sidecar = sidecar;
    this.#variables = variables;
    this.#client = client;
  }

  async act(action: string, args: Args): Promise<void> {
    const act = this.#acts[action];
    if (act === undefined)
      throw new Error(`nothing is called ${action}; known: ${Object.keys(this.#acts).join(', ')}`);
    await act(args);
  }

  async release(): Promise<void> {
    this.#sidecar.link.heal();
    this.#sidecar.always('disconnect', {});
  }

  stop(): Promise<void> {
    return this.#sidecar.stop();
  }

  readonly #acts: Readonly<Record<string, (args: Args) => Promise<unknown> | unknown>> = {
    // What the scripted sidecar does.
    'sidecar.answer': (args) => {
      for (const [method, answers] of Object.entries(args))
        this.#sidecar.answer(method, answers as ScriptedAnswer[]);
    },
    'sidecar.always': (args) => {
      for (const [method, answer] of Object.entries(args))
        this.#sidecar.always(method, answer as ScriptedAnswer);
    },
    'sidecar.release': ({ method }) => this.#sidecar.release(method as string),
    'sidecar.send': async ({ frames }) => {
      await until(() => this.#sidecar.isReceiving, { timeoutMs: WAIT_MS, what: 'a Receive stream' });
      this.#sidecar.send(frames as FrameForm[]);
    },
    'sidecar.stream': async ({ from, to, everyMs }) => {
      await until(() => this.#sidecar.isReceiving, { timeoutMs: WAIT_MS, what: 'a Receive stream' });
      for (let sequence = from as number; sequence <= (to as number); sequence += 1) {
        this.#sidecar.send([{ events: [sequence] }]);
        await new Promise((resolve) => setTimeout(resolve, everyMs as number));
      }
    },
    'sidecar.fill': async ({ from, idleMs, save }) => {
      await until(() => this.#sidecar.isReceiving, { timeoutMs: WAIT_MS, what: 'a Receive stream' });
      const last = await this.#sidecar.fill({ from: from as number, idleMs: idleMs as number });
      this.#variables.set(save as string, last);
    },
    'sidecar.forget': ({ method }) => this.#sidecar.forget(method as string),
    'sidecar.end': async ({ error }) => {
      await until(() => this.#sidecar.isReceiving, { timeoutMs: WAIT_MS, what: 'a Receive stream' });
      this.#sidecar.end(error as ScriptedError | undefined);
    },
    'sidecar.respond': (response) => this.#sidecar.respond(response),
    'sidecar.endSender': ({ error }) => this.#sidecar.endSender(error as ScriptedError | undefined),

    // What the client did.
    'sidecar.waitFor': ({ method, calls = 1 }) =>
      until(() => this.#sidecar.of(method as string).length >= (calls as number), {
        timeoutMs: WAIT_MS,
        what: `${calls} calls of ${method}; got ${this.#summary()}`,
      }),
    'sidecar.count': (args) => {
      for (const [method, expected] of Object.entries(args))
        expectMatch(expected, this.#sidecar.of(method).length, `number of calls of ${method}`);
    },
    'sidecar.stays': async ({ ms, ...counts }) => {
      const before = Object.keys(counts).map((method) => this.#sidecar.of(method).length);
      expectMatch(Object.values(counts), before, 'number of calls before the time');
      await new Promise((resolve) => setTimeout(resolve, ms as number));
      const after = Object.keys(counts).map((method) => this.#sidecar.of(method).length);
      expectMatch(Object.values(counts), after, `number of calls after ${ms} ms`);
    },
    'sidecar.request': ({ method, call, is }) =>
      expectMatch(is, toPlain(this.#call(method as string, call as number).request), `request ${call}`),
    'sidecar.cancelled': async ({ method, call, is = true }) => {
      const record = this.#call(method as string, call as number);
      if (is) await until(() => record.cancelled, { timeoutMs: WAIT_MS, what: 'the client cancels' });
      else expectMatch(false, record.cancelled, `call ${call} of ${method} is cancelled`);
    },
    'sidecar.frames': async ({ are }) => {
      const frames = () => this.#sidecar.of('multicastStream').at(-1)?.frames ?? [];
      await until(() => differences(are, frames()).length === 0, {
        timeoutMs: WAIT_MS,
        what: 'frames',
      }).catch(() => expectMatch(are, frames(), 'frames'));
    },
    'sidecar.messages': async ({ are, ms }) => {
      if (ms !== undefined) await new Promise((resolve) => setTimeout(resolve, ms as number));
      const frames = this.#sidecar.of('multicastStream').at(-1)?.frames ?? [];
      expectMatch(
        are,
        frames.reduce((sum, { messages }) => sum + messages, 0),
        'number of messages',
      );
    },
    'time.mark': ({ name }) => this.#marks.set(name as string, performance.now()),
    'time.passed': ({ from, to, ...expected }) => {
      const passed = (to === undefined ? performance.now() : this.#timeOf(to)) - this.#timeOf(from);
      expectMatch(bounds(expected), passed, `time from ${from} to ${to ?? 'now'}`);
    },
    'time.pauses': ({ method, first, upToMs, totalMs }) => {
      const times = this.#sidecar.of(method as string).map(({ at }) => at);
      const maxima = upToMs as number[];
      const start = (first as number) - 1;
      const pauses = maxima.map((_, i) => times[start + i + 1]! - times[start + i]!);
      expectMatch(
        maxima.map((most) => ({ $atMost: most + LATE_MS })),
        pauses,
        `pauses between the calls of ${method}`,
      );
      expectMatch(
        bounds(totalMs as Args),
        pauses.reduce((a, b) => a + b, 0),
        `sum of ${pauses}`,
      );
    },

    // The connection between the client and the scripted sidecar.
    'link.cut': () => this.#sidecar.link.cut(),
    'link.reset': () => this.#sidecar.link.reset(),
    'link.halfOpen': ({ end }) => this.#sidecar.link.halfOpen(end as 'client' | 'server'),
    'link.silence': ({ direction }) => {
      if (direction === undefined) this.#sidecar.link.silent = true;
      else this.#sidecar.link.silence(direction as 'requests' | 'responses');
    },
    'link.refuse': () => {
      this.#sidecar.link.refusing = true;
      this.#sidecar.link.cut();
    },
    'link.heal': () => this.#sidecar.link.heal(),
    'link.attempts': async ({ atLeast, atMost, ms }) => {
      const before = this.#sidecar.link.attempts.length;
      await new Promise((resolve) => setTimeout(resolve, ms as number));
      const attempts = this.#sidecar.link.attempts.length - before;
      expectMatch({ $atLeast: atLeast }, attempts, 'attempts to connect');
      expectMatch({ $atMost: atMost }, attempts, 'attempts to connect');
    },

    // The process of the client.
    'process.stop': () => process.kill(this.#client.driver.pid, 'SIGSTOP'),
    'process.continue': () => process.kill(this.#client.driver.pid, 'SIGCONT'),
    'clock.set': async ({ seconds }) => {
      if (this.#client.clock === undefined) throw new Error('the driver of this case is not steppable');
      this.#client.clock.set(seconds as number);
      await new Promise((resolve) => setTimeout(resolve, CLOCK_CHANGE_MS));
    },
  };

  #call(method: string, call: number): RecordedCall {
    const record = this.#sidecar.of(method)[call - 1];
    if (record === undefined) throw new Error(`no call ${call} of ${method}; got ${this.#summary()}`);
    return record;
  }

  /** A point in time: the name of a mark, or `receive#2` for the second call of Receive. */
  #timeOf(point: unknown): number {
    const [name = '', call] = String(point).split('#');
    if (call !== undefined) return this.#call(name, Number(call)).at;
    const at = this.#marks.get(name);
    if (at === undefined) throw new Error(`no mark is called ${name}`);
    return at;
  }

  #summary(): string {
    return this.#sidecar.calls.map(({ method }) => method).join(', ');
  }
}

/** Maximum time until a process has the changed clock. Unit: ms. */
const CLOCK_CHANGE_MS = 1100;

/** A pause can be this much longer on a machine under load. Unit: ms. */
const LATE_MS = 2500;

function bounds({ atLeastMs, atMostMs, ...others }: Args): { $between: [number, number] } {
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`a time has only atLeastMs and atMostMs, not ${unknown}`);
  return { $between: [(atLeastMs as number) ?? 0, (atMostMs as number) ?? Number.POSITIVE_INFINITY] };
}

function expectMatch(expected: unknown, got: unknown, what: string): void {
  const found = differences(expected, got, what);
  if (found.length > 0) throw new Error(found.join('\n'));
}

const toPlain = (value: unknown) =>
  JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? Number(one) : one)) ?? 'null');
