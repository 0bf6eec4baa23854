import type { SpreadError, StatusName } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { mayPass } from '../../../../clients/typescript/src/rules/failures.js';
import { Receiving } from '../../../../clients/typescript/src/rules/receiving.js';
import { checkMembers, type ErrorExample, errorOf, kindOf, readExamples } from './examples.js';

type Sequence = number | string;

interface Options {
  afterSequence: Sequence;
  leaseMs: number;
  heartbeatIntervalMs: number;
  tokenMayChange?: boolean;
}

interface End {
  status: StatusName;
  reason: string;
  metadata: Record<string, string>;
  message?: string;
}

interface Step {
  atMs?: number;
  opens: { afterSequence: Sequence; attachLimitMs: number };
  attached: Sequence;
  events: Sequence[];
  unknownKinds?: Sequence[];
  taken: Sequence[];
  heartbeat: Sequence;
  fails: ErrorExample;
  pauseUpToMs?: number;
  detached?: boolean;
  end?: End | null;
  last?: Sequence;
}

const COMMON = ['atMs', 'last'];
const KINDS = {
  opens: COMMON,
  attached: [...COMMON, 'end'],
  events: [...COMMON, 'unknownKinds', 'taken', 'end'],
  heartbeat: [...COMMON, 'end'],
  unknownFrame: COMMON,
  fails: [...COMMON, 'pauseUpToMs', 'detached', 'end'],
  closes: [...COMMON, 'end'],
};

/** How receiving ends. Undefined if it continues. */
type Result = SpreadError | null | undefined;

function receivingOf(options: Options): Receiving {
  checkMembers(options, ['afterSequence', 'leaseMs', 'heartbeatIntervalMs', 'tokenMayChange']);
  const receiving = new Receiving({
    afterSequence: BigInt(options.afterSequence),
    leaseMs: options.leaseMs,
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    unreachableMetadata: {},
    mayPass: (error) => mayPass(error, options.tokenMayChange ?? false),
    random: () => 1,
  });
  receiving.start(0);
  return receiving;
}

function takeEvents(receiving: Receiving, { events, unknownKinds = [], taken }: Step): Result {
  const got: Sequence[] = [];
  let result: Result;
  for (const sequence of events) {
    const order = receiving.event(BigInt(sequence));
    if (order === 'missing') {
      result = receiving.gapBefore(BigInt(sequence));
      break;
    }
    if (order === 'next' && !unknownKinds.includes(sequence)) got.push(sequence);
  }
  expect(got).toEqual(taken);
  return result;
}

function fail(receiving: Receiving, { fails, pauseUpToMs, detached = false }: Step, now: number): Result {
  const next = receiving.fails(errorOf(fails), now);
  if ('end' in next) return next.end;
  expect(next).toEqual({ pauseMs: pauseUpToMs, isDetached: detached });
  return undefined;
}

function execute(receiving: Receiving, step: Step, now: number): Result {
  const kind = kindOf(step, KINDS);
  if (kind === 'attached' || kind === 'events' || kind === 'heartbeat' || kind === 'unknownFrame')
    receiving.frame(now);
  switch (kind) {
    case 'opens':
      checkMembers(step.opens, ['afterSequence', 'attachLimitMs']);
      expect(receiving.open(now)).toBe(BigInt(step.opens.afterSequence));
      expect(receiving.silenceLeft(now)).toBe(step.opens.attachLimitMs);
      return undefined;
    case 'attached':
      return receiving.attach(BigInt(step.attached));
    case 'events':
      return takeEvents(receiving, step);
    case 'heartbeat':
      return receiving.heartbeat(BigInt(step.heartbeat));
    case 'unknownFrame':
      return undefined;
    case 'fails':
      return fail(receiving, step, now);
    case 'closes':
      receiving.closes();
      return null;
  }
}

function checkEnd(result: Result, expected: End | null | undefined): void {
  if (!expected || !result) {
    expect(result).toBe(expected);
    return;
  }
  checkMembers(expected, ['status', 'reason', 'metadata', 'message']);
  const { statusName, reason, metadata, message } = result;
  const { status, message: text = '', ...rest } = expected;
  expect({ statusName, reason, metadata }).toEqual({ statusName: status, ...rest });
  expect(message).toContain(text);
}

it.each(readExamples<{ options: Options; steps: Step[] }>('receive.json', ['options', 'steps']))(
  '%s',
  (_, { options, steps }) => {
    const receiving = receivingOf(options);
    let now = 0;
    for (const step of steps) {
      now = step.atMs ?? now;
      checkEnd(execute(receiving, step, now), step.end);
      if (step.last !== undefined) expect(receiving.lastSequence).toBe(BigInt(step.last));
    }
  },
);

describe('a stream without frames (R7)', () => {
  const options = { afterSequence: 0, leaseMs: 30_000, heartbeatIntervalMs: 1000 };

  it('counts as broken after three heartbeat intervals, counted from its last frame', () => {
    const receiving = receivingOf(options);
    receiving.open(0);
    receiving.frame(2000);
    expect(receiving.silenceLeft(2000)).toBe(3000);
    expect(receiving.silenceLeft(5000)).toBe(0);
    expect(receiving.silence()).toMatchObject({
      statusName: 'UNAVAILABLE',
      message: 'the sidecar sent no frame for 3000 ms',
    });
  });

  it('does not count the time of a pause', () => {
    const receiving = receivingOf(options);
    receiving.open(0);
    receiving.frame(0);
    receiving.resume(60_000);
    expect(receiving.silenceLeft(60_000)).toBe(3000);
  });

  it('is never broken without heartbeats', () => {
    const receiving = receivingOf({ ...options, heartbeatIntervalMs: 0 });
    receiving.open(0);
    receiving.frame(0);
    expect(receiving.silenceLeft(1e12)).toBe(Number.POSITIVE_INFINITY);
  });
});

it('a full inbox delays only the fetching of missing events (R13)', () => {
  const receiving = receivingOf({ afterSequence: 0, leaseMs: 30_000, heartbeatIntervalMs: 0 });
  receiving.fails(errorOf({ status: 'UNAVAILABLE' }), 0);
  expect(receiving.mayAttach(true)).toBe(true);
  receiving.fails(
    errorOf({ status: 'ABORTED', reason: 'LEASE_EXPIRED', metadata: { last_sequence: '3' } }),
    0,
  );
  expect(receiving.mayAttach(true)).toBe(false);
  expect(receiving.mayAttach(false)).toBe(true);
});
