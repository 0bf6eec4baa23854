import { describe, expect, it } from 'vitest';
import {
  PendingRequest,
  type ReplyStatus,
} from '../../../../clients/typescript/src/request-reply/pending-request.js';

const [A, B, C] = ['#a#n', '#b#n', '#c#n'] as const;

function answers(pending: PendingRequest, status: ReplyStatus, ...senders: string[]): boolean[] {
  return senders.map((sender) => pending.answer(status, { sender, payload: Buffer.from('x'), headers: {} }));
}

describe('a request for a number of replies', () => {
  it('ends with this number', () => {
    const pending = new PendingRequest('g', 2);
    answers(pending, 'ok', A);
    expect(pending.result).toBeUndefined();
    answers(pending, 'error', B);
    expect(pending.result).toMatchObject({
      replies: [{ sender: A }, { sender: B }],
      complete: true,
      missing: [],
    });
  });

  it('counts each member once', () => {
    const pending = new PendingRequest('g', 2);
    expect(answers(pending, 'ok', A, A)).toEqual([true, false]);
    expect(pending.result).toBeUndefined();
  });

  it('ends when fewer replies are possible', () => {
    const pending = new PendingRequest('g', 2);
    pending.delivered([A, B, C]);
    answers(pending, 'not-serving', A);
    expect(pending.result).toBeUndefined();
    pending.view(new Set([A, C]));
    expect(pending.result).toMatchObject({ replies: [], left: [B], missing: [C], complete: false });
  });

  it('ends with the timeout if the members are not known', () => {
    const pending = new PendingRequest('g', 2);
    answers(pending, 'ok', A);
    pending.view(new Set());
    expect(pending.result).toBeUndefined();
    pending.timeOut();
    expect(pending.result).toMatchObject({ timedOut: true, missing: [], complete: false });
  });
});

describe('a request to all members', () => {
  it('ends when each member has replied, declined or left', () => {
    const pending = new PendingRequest('g', 'all');
    pending.delivered([A, B, C]);
    answers(pending, 'ok', A);
    answers(pending, 'not-serving', C);
    expect(pending.result).toBeUndefined();
    pending.view(new Set([A, C]));
    expect(pending.result).toMatchObject({
      replies: [{ sender: A }],
      left: [B],
      complete: false,
      timedOut: false,
    });
  });

  it('is complete if no member left or rejected it', () => {
    const pending = new PendingRequest('g', 'all');
    pending.delivered([A, C]);
    answers(pending, 'ok', A);
    answers(pending, 'not-serving', C);
    expect(pending.result).toMatchObject({ complete: true });
  });

  it('counts replies that arrive before the own request', () => {
    const pending = new PendingRequest('g', 'all');
    answers(pending, 'ok', A);
    expect(pending.result).toBeUndefined();
    pending.delivered([A]);
    expect(pending.result).toMatchObject({ complete: true });
  });

  it('ends at once without other members', () => {
    const pending = new PendingRequest('g', 'all');
    pending.delivered([]);
    expect(pending.result).toMatchObject({ replies: [], complete: true });
  });

  it('lists members that have too many requests', () => {
    const pending = new PendingRequest('g', 'all');
    pending.delivered([A]);
    answers(pending, 'overloaded', A);
    expect(pending.result).toMatchObject({ overloaded: [A], complete: false });
  });

  it('lists missing members after the timeout', () => {
    const pending = new PendingRequest('g', 'all');
    pending.delivered([A, B]);
    answers(pending, 'ok', B);
    pending.timeOut();
    expect(pending.result).toMatchObject({ missing: [A], timedOut: true, complete: false });
  });
});

describe('a request to a private group', () => {
  it('waits for one reply', () => {
    const pending = new PendingRequest(A, 'all');
    answers(pending, 'ok', A);
    expect(pending.result).toMatchObject({ replies: [{ sender: A }], complete: true });
  });

  it('ends when the member disconnects', () => {
    const pending = new PendingRequest(A, 1);
    pending.disconnected(B);
    pending.view(new Set([B]));
    expect(pending.result).toBeUndefined();
    pending.disconnected(A);
    expect(pending.result).toMatchObject({ left: [A], complete: false });
  });
});
