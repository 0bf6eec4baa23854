import { FIFO_MESS, type SendOutcome, SpreadError, type StatusName } from 'spread-sidecar-client';
import { expect, it } from 'vitest';
import { toMulticastMessage } from '../../../../clients/typescript/src/outgoing.js';
import { RejectedMessages } from '../../../../clients/typescript/src/rules/rejected-messages.js';
import { type SendLimits, SendWindow } from '../../../../clients/typescript/src/rules/send-window.js';
import { checkMembers, type ErrorExample, errorOf, kindOf, readExamples } from './examples.js';

interface Frame {
  messages: number;
  respond: boolean;
}

interface End {
  status: StatusName;
  outcome: SendOutcome;
}

interface Step {
  sends: { payloadBytes: number; groups?: number; headers?: Record<string, string>; times?: number };
  writes: Frame;
  flush: { frames: Frame[] };
  response: { decided: number; accepted: number };
  fails: ErrorExample;
  inFlight?: number;
  full?: boolean;
  outcome: SendOutcome;
  end?: End | null;
}

const KINDS = {
  sends: ['full'],
  writes: [],
  flush: [],
  response: ['inFlight', 'full', 'end'],
  fails: ['outcome'],
  closes: ['end'],
  closing: [],
};

function send(window: SendWindow, { sends }: Step): void {
  checkMembers(sends, ['payloadBytes', 'groups', 'headers', 'times']);
  const { payloadBytes, groups = 1, headers, times = 1 } = sends;
  const names = Array.from({ length: groups }, (_, index) => `g${index}`);
  for (let i = 0; i < times; i += 1)
    window.add(toMulticastMessage(FIFO_MESS, names, Buffer.alloc(payloadBytes), 0, { headers }));
}

function nextFrame(window: SendWindow, isFlush: boolean): Frame | undefined {
  const frame = window.nextFrame(isFlush);
  return frame && { messages: frame.messages.length, respond: frame.respond };
}

function framesOfFlush(window: SendWindow): Frame[] {
  const frames: Frame[] = [];
  for (let frame = nextFrame(window, true); frame; frame = nextFrame(window, true)) frames.push(frame);
  return frames;
}

function checkEnd(error: SpreadError | undefined, end: End | null | undefined): void {
  const actual = error && { status: error.statusName, outcome: error.outcome };
  expect(actual).toEqual(end ?? undefined);
}

function execute(window: SendWindow, step: Step): void {
  switch (kindOf(step, KINDS)) {
    case 'sends':
      send(window, step);
      return;
    case 'writes':
      expect(nextFrame(window, false)).toEqual(step.writes);
      return;
    case 'flush':
      checkMembers(step.flush, ['frames']);
      expect(framesOfFlush(window)).toEqual(step.flush.frames);
      return;
    case 'response':
      checkMembers(step.response, ['decided', 'accepted']);
      checkEnd(window.response(step.response.decided, step.response.accepted), step.end);
      return;
    case 'fails':
      expect(window.outcomeAfter(errorOf(step.fails))).toBe(step.outcome);
      return;
    case 'closes':
      checkEnd(window.errorAtEnd(), step.end);
      return;
    case 'closing':
      window.close();
  }
}

it.each(readExamples<{ options: SendLimits; steps: Step[] }>('sender.json', ['options', 'steps']))(
  '%s',
  (_, { options, steps }) => {
    checkMembers(options, ['maxInFlightMessages', 'maxInFlightBytes', 'maxBatchBytes']);
    const window = new SendWindow(options);
    for (const step of steps) {
      execute(window, step);
      if (step.inFlight !== undefined) expect(window.undecided).toHaveLength(step.inFlight);
      if (step.full !== undefined) expect(window.isFull, JSON.stringify(step)).toBe(step.full);
    }
  },
);

it('the error of a flush has the number of rejected messages and the first 100 errors, once (S6)', () => {
  const rejected = new RejectedMessages();
  for (let i = 1; i <= 150; i += 1) rejected.add(new SpreadError(`error ${i}`, { status: 3 }));
  const error = (() => {
    try {
      rejected.throwIfAny();
    } catch (thrown) {
      return thrown as AggregateError;
    }
    return undefined;
  })();
  expect(error?.message).toBe('rejected messages: 150; first error: error 1');
  expect(error?.errors.map(({ message }) => message)).toEqual(
    Array.from({ length: 100 }, (_, index) => `error ${index + 1}`),
  );
  rejected.throwIfAny();
});
