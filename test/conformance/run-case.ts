import { until } from '../support/until.js';
import type { Case, Step } from './case-format.js';
import { type Answer, type DriverProcess, deadline, type Running } from './driver-process.js';
import { differences } from './matching.js';
import { type Variables, valueAt } from './variables.js';

/** The environment of a driver in a case. */
export interface Surroundings {
  /** Executes an action, such as `proxy.cut`. */
  act(action: string, args: Record<string, unknown>): Promise<void>;
  /** Ends all faults, so that open objects can be closed. */
  release(): Promise<void>;
  /** A prefix of all names in the driver, so that concurrent cases can share a driver. */
  readonly scope?: string;
}

/** Timeout of requests, which no case expects. */
const ANSWER_MS = 15_000;
const EVENTUALLY_MS = 8000;
const ASK_AGAIN_MS = 20;
/** How long a failed step waits for the driver's log. */
const LOG_MS = 500;
/** Timeout of receive requests without their own. */
const RECEIVE_MS = 5000;

/** Executes the steps of a case in order. Throws at the first unexpected result. */
export async function runCase(
  { steps }: Case,
  driver: DriverProcess,
  variables: Variables,
  around: Surroundings,
): Promise<void> {
  const started = new Map<string, Running>();
  for (const [i, step] of steps.entries()) {
    try {
      await runStep(step, driver, variables, around, started);
    } catch (error) {
      const what = JSON.stringify(step).slice(0, 300);
      // The driver's log has a pipe of its own and may arrive after the response.
      await until(() => driver.stderr !== '', { timeoutMs: LOG_MS }).catch(() => {});
      const log = driver.stderr === '' ? '' : `\nThe driver logged:\n${driver.stderr.slice(-3000)}`;
      throw new Error(`step ${i + 1}, ${what}\n${(error as Error).message}${log}`);
    }
  }
}

async function runStep(
  step: Step,
  driver: DriverProcess,
  variables: Variables,
  around: Surroundings,
  started: Map<string, Running>,
): Promise<void> {
  if (step.do !== undefined)
    return around.act(step.do, variables.expand(step.with ?? {}) as Record<string, unknown>);
  if (step.idle !== undefined) return staysIdle(driver, step.idle);
  if (step.cancel !== undefined) {
    const answer = await wait(driver.request('cancel', { op: runningOf(started, step.cancel).id }));
    return judge({ expect: {} }, answer, variables);
  }
  if (step.await !== undefined) {
    return judge(step, await wait(runningOf(started, step.await)), variables);
  }
  const op = step.op as string;
  const args = scoped(
    withDefaults(op, variables.expand(step.args) as Record<string, unknown>),
    around.scope ?? '',
  );
  if (step.start !== undefined) {
    started.set(step.start, driver.request(op, args));
    return;
  }
  const until = Date.now() + EVENTUALLY_MS;
  for (;;) {
    const answer = await wait(driver.request(op, args));
    try {
      return judge(step, answer, variables);
    } catch (error) {
      if (!step.eventually || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}

function runningOf(started: Map<string, Running>, name: string): Running {
  const running = started.get(name);
  if (running === undefined) throw new Error(`nothing was started as ${name}`);
  return running;
}

const wait = (running: Running) => deadline(running.answer, ANSWER_MS, () => 'the answer of the driver');

/** Adds the defaults that nearly every case uses. */
function withDefaults(op: string, args: Record<string, unknown>): Record<string, unknown> {
  const onChannel = [
    ...['open', 'waitForReady', 'version', 'list', 'closeSidecar', 'exitSidecar', 'connect', 'attach'],
    'openRequestReply',
  ].includes(op);
  return {
    ...(onChannel ? { sidecar: 's' } : {}),
    ...(op === 'receive' ? { timeoutMs: RECEIVE_MS } : {}),
    ...(op === 'request' ? { payload: '' } : {}),
    ...(op === 'multicast' || op === 'send' ? { serviceType: 'AGREED', payload: '' } : {}),
    ...args,
  };
}

/** Adds the prefix to the names of channels, mailboxes and senders. */
function scoped(args: Record<string, unknown>, scope: string): Record<string, unknown> {
  const isName = (key: string) => ['sidecar', 'mailbox', 'sender', 'receivesFrom'].includes(key);
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key, isName(key) ? `${scope}${value}` : value]),
  );
}

function judge(step: Step, answer: Answer, variables: Variables): void {
  const expected = 'error' in step ? { kind: 'spread', ...(step.error as object) } : (step.expect ?? {});
  if ('error' in step) {
    if (!('error' in answer))
      throw new Error(`expected a failure, got ${JSON.stringify(answer.ok).slice(0, 1000)}`);
  } else if ('error' in answer) throw new Error(`it failed: ${JSON.stringify(answer.error)}`);
  const got = 'error' in answer ? answer.error : answer.ok;
  const found = differences(variables.expand(expected), got);
  if (found.length > 0)
    throw new Error(`${found.join('\n')}\nThe answer: ${JSON.stringify(got).slice(0, 2000)}`);
  for (const [name, path] of Object.entries(step.save ?? {})) variables.set(name, valueAt(got, path));
}

/** Checks that a client that waits for an unreachable sidecar does not use the processor. */
async function staysIdle(driver: DriverProcess, { ms, share }: { ms: number; share: number }): Promise<void> {
  const before = driver.cpuSeconds;
  await new Promise((resolve) => setTimeout(resolve, ms));
  const used = (driver.cpuSeconds - before) / (ms / 1000);
  if (used > share) throw new Error(`the driver used ${used} of a core while it had nothing to do`);
}
