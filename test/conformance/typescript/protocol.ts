import { createInterface } from 'node:readline';
import { SpreadError } from 'spread-sidecar-client';

/** What a request carries: whatever the case says. */
// biome-ignore lint/suspicious/noExplicitAny: the runner's cases are checked by what the client makes of them
export type Args = Record<string, any>;

/** Executes one kind of request. */
export type Op = (args: Args, signal: AbortSignal) => Promise<unknown> | unknown;

/** The error of an invalid request. */
export class DriverError extends Error {}

interface Request {
  id: number;
  op: string;
  args?: Args;
}

/** Executes requests from standard input until its end. */
export async function serve(ops: Readonly<Record<string, Op>>, hello: object): Promise<void> {
  const running = new Map<number, AbortController>();
  const write = (line: object) => process.stdout.write(`${JSON.stringify(line, plainNumbers)}\n`);
  const cancel: Op = ({ op }) => {
    const controller = running.get(op);
    if (controller === undefined) throw new DriverError(`no request ${op} is running`);
    controller.abort();
    return {};
  };
  const all: Readonly<Record<string, Op>> = { ...ops, cancel };
  write({ ready: true, ...hello });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, op, args = {} } = JSON.parse(line) as Request;
    const controller = new AbortController();
    running.set(id, controller);
    void answer(all[op], op, args, controller.signal).then((result) => {
      running.delete(id);
      write({ id, ...result });
    });
  }
}

async function answer(op: Op | undefined, name: string, args: Args, signal: AbortSignal): Promise<object> {
  try {
    if (op === undefined) throw new DriverError(`unknown op ${name}`);
    return { ok: (await op(args, signal)) ?? {} };
  } catch (error) {
    return { error: toError(error) };
  }
}

/** Converts an error to the protocol. */
export function toError(error: unknown): object {
  if (error instanceof AggregateError)
    return { kind: 'rejected', errors: error.errors.length, message: error.message };
  if (!(error instanceof SpreadError))
    return { kind: 'driver', message: error instanceof Error ? error.stack : String(error) };
  return {
    kind: 'spread',
    status: error.statusName,
    reason: error.reason,
    domain: error.domain,
    code: error.code ?? null,
    number: error.number ?? null,
    metadata: error.metadata,
    retryable: error.retryable,
    retryDelayMs: error.retryDelayMs ?? null,
    outcome: error.outcome ?? null,
    message: error.message,
  };
}

const plainNumbers = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
