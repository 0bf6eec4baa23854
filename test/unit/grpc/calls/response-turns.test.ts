import { EventEmitter } from 'node:events';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { type CallWatcher, ObservedCall } from '../../../../server/src/grpc/calls/observed-call.js';
import { ResponseBudget } from '../../../../server/src/grpc/calls/response-budget.js';
import { FairTurns } from '../../../../server/src/timing/fair-turns.js';

/** A call with unsent responses of this size, and its turns. */
function callWithResponsesOf(bytes: number) {
  const turns = new FairTurns();
  const session = new EventEmitter();
  const stream = Object.assign(new EventEmitter(), { session, writableLength: 0 });
  stream.on('data', () => {});
  const base = {
    stream,
    sendStatus: () => {},
    sendMessage: () => {
      stream.writableLength += bytes;
    },
  } as unknown as ServerInterceptingCallInterface;
  const watcher = { turns, responses: new ResponseBudget(1 << 20), sent: () => {} } as unknown as CallWatcher;
  const method = {
    service: 'spread.sidecar.v1.MailboxService',
    method: 'ListMailboxes',
    type: 'unary',
  } as const;
  return { turns, session, call: new ObservedCall(base, method, watcher) };
}

describe('the fair turns of responses', () => {
  it('a response of 32 KiB uses up the turn, and the connection waits behind others', async () => {
    const { turns, session, call } = callWithResponsesOf(32 << 10);
    const order: string[] = [];
    turns.run({}, () => call.sendMessage(Buffer.alloc(0), () => {}));
    expect(turns.isFree).toBe(false);
    // The turn has ended, so the second charge counts against the connection.
    turns.run({}, () => order.push('a waiting call'));
    call.sendMessage(Buffer.alloc(0), () => {});
    turns.run(session, () => order.push('the connection'));
    turns.run({}, () => order.push('another connection'));
    for (let i = 0; i < 100 && !turns.isFree; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual(['a waiting call', 'another connection', 'the connection']);
  });

  it('a response of 2 KiB costs no more than its call', () => {
    const { turns, call } = callWithResponsesOf(2 << 10);
    for (let i = 0; i < 100; i++) call.sendMessage(Buffer.alloc(0), () => {});
    expect(turns.isFree).toBe(true);
  });
});
