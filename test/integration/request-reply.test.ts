import { AGREED_MESS, openRequestReply, type RequestReply } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sidecarAt } from '../support/clients/client.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until, within } from '../support/until.js';

/** Objects with these private names, each over its own channel, at one sidecar. */
async function start(...names: string[]) {
  const sidecar = await startSidecar();
  const open = async (name: string) => {
    const calls = await openRequestReply(sidecarAt(sidecar.target), { privateName: name });
    onTestFinished(() => calls.close());
    return calls;
  };
  return { sidecar, open, calls: await Promise.all(names.map(open)) };
}

const text = (payload: Buffer) => payload.toString();
const sorted = (replies: readonly { sender: string; payload: Buffer }[]) =>
  replies.map(({ sender, payload }) => `${sender} ${payload}`).sort();

async function serveUpper(...servers: (RequestReply | undefined)[]): Promise<void> {
  for (const server of servers) await server?.serve('g', ({ payload }) => text(payload).toUpperCase());
}

describe('a request to a group', () => {
  it('gets one reply by default', async () => {
    const { calls } = await start('client', 'server');
    const [client, server] = calls as [RequestReply, RequestReply];
    await server.serve('g', ({ payload, sender, group, headers, messageType }) => ({
      payload: `${payload} ${sender} ${group} ${headers.name} ${messageType}`,
      headers: { 'content-type': 'text/plain' },
    }));
    const { replies, complete } = await client.request('g', 'hello', {
      headers: { name: 'x' },
      messageType: 7,
    });
    expect(complete).toBe(true);
    expect(replies).toMatchObject([
      { sender: server.privateGroup, headers: { 'content-type': 'text/plain' } },
    ]);
    expect(text(replies[0]!.payload)).toBe(`hello ${client.privateGroup} g x 7`);
  });

  it('gets the replies of all members, also of the requester', async () => {
    const { calls } = await start('a', 'b', 'c');
    await serveUpper(...calls);
    const { replies, complete } = await calls[0]!.request('g', 'x', { replies: 'all' });
    expect(sorted(replies)).toEqual(calls.map(({ privateGroup }) => `${privateGroup} X`));
    expect(complete).toBe(true);
  });

  it('does not wait for members that do not serve the group', async () => {
    const { calls } = await start('client', 'other', 'server');
    await serveUpper(calls[2]);
    await calls[1]!.request('g', 'joins the group', { replies: 'all' });
    const { replies, missing, complete } = await calls[0]!.request('g', 'x', { replies: 'all' });
    expect([sorted(replies), missing, complete]).toEqual([[`${calls[2]!.privateGroup} X`], [], true]);
  });

  it('reports a member that leaves at once', async () => {
    const { open, calls } = await start('client', 'b');
    const leaving = await open('leaving');
    await serveUpper(calls[1]);
    let isAsked = false;
    await leaving.serve('g', () => {
      isAsked = true;
      return new Promise<never>(() => {});
    });
    const result = calls[0]!.request('g', 'x', { replies: 'all', timeoutMs: 60_000 });
    await until(() => isAsked);
    await leaving.close();
    const { replies, left, complete, timedOut } = await within(result, 'the result');
    expect(left).toEqual([leaving.privateGroup]);
    expect([replies.length, complete, timedOut]).toEqual([1, false, false]);
  });

  it('reports members that do not reply in time', async () => {
    const { calls } = await start('client', 'server');
    await calls[1]!.serve('g', () => new Promise<never>(() => {}));
    const result = await calls[0]!.request('g', 'x', { replies: 'all', timeoutMs: 50 });
    expect(result).toMatchObject({ missing: [calls[1]!.privateGroup], timedOut: true, complete: false });
  });

  it('ends with the timeout when nobody is in the group', async () => {
    const { calls } = await start('client');
    const result = await calls[0]!.request('nobody', 'x', { timeoutMs: 50 });
    expect(result).toMatchObject({ replies: [], timedOut: true });
  });

  it('reports the failure of a handler', async () => {
    const { calls } = await start('client', 'server');
    await calls[1]!.serve('g', () => {
      throw new Error(`it failed: ${'ä'.repeat(1000)}`);
    });
    const { replies } = await calls[0]!.request('g', 'x');
    expect(replies[0]!.error).toMatch(/^it failed: ä{494}$/);
    expect(replies[0]!.payload.length).toBe(0);
  });

  it('gets a reply even if the handler sets a reply-to', async () => {
    const { calls } = await start('client', 'server');
    const headers = { 'reply-to': 'g', 'reply-status': 'error', name: 'x' };
    await calls[1]!.serve('g', () => ({ payload: 'y', headers }));
    const { replies } = await calls[0]!.request('g', 'x');
    expect(replies).toMatchObject([{ headers: { name: 'x' } }]);
    expect([text(replies[0]!.payload), replies[0]!.error]).toEqual(['y', undefined]);
  });

  it('reports a reply that is too long', async () => {
    const { calls } = await start('client', 'server');
    await calls[1]!.serve('g', () => Buffer.alloc(200_000));
    const { replies } = await calls[0]!.request('g', 'x');
    expect(replies[0]!.error).toContain('143');
  });

  it('fails if it is too long', async () => {
    const { calls } = await start('client');
    const request = calls[0]!.request('g', Buffer.alloc(200_000));
    await expect(request).rejects.toMatchObject({ reason: 'MESSAGE_TOO_LONG', outcome: 'not-sent' });
    expect(calls[0]!.statistics.open).toBe(0);
  });

  it('is cancelled by its signal', async () => {
    const { calls } = await start('client');
    const cancel = new AbortController();
    const request = calls[0]!.request('nobody', 'x', { signal: cancel.signal });
    const cancelled = expect(request).rejects.toMatchObject({ statusName: 'CANCELLED' });
    cancel.abort(new Error('enough'));
    await cancelled;
    expect(calls[0]!.statistics.open).toBe(0);
  });

  it.each([
    [{ replies: 0 }, 'replies must be a whole number'],
    [{ timeoutMs: 0 }, 'timeoutMs must be a number of milliseconds'],
  ])('rejects %j', async (options, message) => {
    const { calls } = await start('client');
    await expect(calls[0]!.request('g', 'x', options)).rejects.toThrow(message);
  });
});

describe('a request to a private group', () => {
  it('reaches this member only', async () => {
    const { calls } = await start('client', 'a', 'b');
    await serveUpper(calls[1], calls[2]);
    const { replies } = await calls[0]!.request(calls[2]!.privateGroup, 'x');
    expect(sorted(replies)).toEqual([`${calls[2]!.privateGroup} X`]);
  });

  it('ends at once when the member disconnects', async () => {
    const { calls } = await start('client', 'server');
    let isAsked = false;
    await calls[1]!.serve('g', () => {
      isAsked = true;
      return new Promise<never>(() => {});
    });
    await calls[0]!.serve('g', () => '');
    const result = calls[0]!.request(calls[1]!.privateGroup, 'x', { timeoutMs: 60_000 });
    await until(() => isAsked);
    const server = calls[1]!.privateGroup;
    await calls[1]!.close();
    expect(await within(result, 'the result')).toMatchObject({ left: [server], complete: false });
  });
});

describe('a service', () => {
  it('handles requests in order, one at a time, and may make requests itself', async () => {
    const { calls } = await start('client', 'front', 'back');
    await serveUpper(calls[2]);
    let running = 0;
    const order: string[] = [];
    await calls[1]!.serve('front', async ({ payload }) => {
      running += 1;
      expect(running).toBe(1);
      const { replies } = await calls[1]!.request('g', payload);
      running -= 1;
      order.push(text(payload));
      return replies[0]!.payload;
    });
    const payloads = Array.from({ length: 20 }, (_, at) => `p${at}`);
    const results = await Promise.all(payloads.map((payload) => calls[0]!.request('front', payload)));
    expect(results.map(({ replies }) => text(replies[0]!.payload))).toEqual(
      payloads.map((p) => p.toUpperCase()),
    );
    expect(order).toEqual(payloads);
  });

  it('rejects requests when too many wait', async () => {
    const { calls } = await start('client', 'server');
    const finish: (() => void)[] = [];
    const handler = () => new Promise<string>((resolve) => finish.push(() => resolve('done')));
    await calls[1]!.serve('g', handler, { maxQueued: 1, concurrency: 1 });
    const options = { replies: 'all', timeoutMs: 10_000 } as const;
    const results = [1, 2, 3].map(() => calls[0]!.request('g', 'x', options));
    expect(await results[2]).toMatchObject({ overloaded: [calls[1]!.privateGroup], complete: false });
    await until(() => finish.length === 1);
    finish[0]!();
    await until(() => finish.length === 2);
    finish[1]!();
    expect(await Promise.all(results.slice(0, 2))).toMatchObject([{ complete: true }, { complete: true }]);
  });

  it('leaves the group when it stops', async () => {
    const { calls } = await start('client', 'server');
    const service = await calls[1]!.serve('g', () => 'x');
    expect(await calls[0]!.request('g', 'x', { replies: 'all' })).toMatchObject({ complete: true });
    await service.stop();
    const { replies, left, missing } = await calls[0]!.request('g', 'x', {
      replies: 'all',
      timeoutMs: 10_000,
    });
    expect([replies, left, missing]).toEqual([[], [], []]);
    await calls[1]!.serve('g', () => 'again');
    const again = await calls[0]!.request('g', 'x', { replies: 'all' });
    expect(sorted(again.replies)).toEqual([`${calls[1]!.privateGroup} again`]);
  });

  it('joins the group again directly after it stopped, and an old stop() has no effect', async () => {
    const { calls } = await start('client', 'server');
    for (let round = 0; round < 20; round++) {
      const service = await calls[1]!.serve('g', () => `round ${round}`);
      if (round > 0) {
        const { replies } = await calls[0]!.request('g', 'x', { timeoutMs: 5000 });
        expect(text(replies[0]!.payload)).toBe(`round ${round}`);
      }
      await service.stop();
      const next = await calls[1]!.serve('g', () => 'next');
      await service.stop();
      const { replies } = await calls[0]!.request('g', 'x', { timeoutMs: 5000 });
      expect(text(replies[0]!.payload)).toBe('next');
      await next.stop();
    }
  });

  it('sends its last reply before it leaves', async () => {
    const { calls } = await start('client', 'server');
    for (let round = 0; round < 20; round++) {
      const stopped: Promise<void>[] = [];
      const service = await calls[1]!.serve('g', async () => {
        setImmediate(() => stopped.push(service.stop()));
        return `round ${round}`;
      });
      const { replies, left } = await calls[0]!.request('g', 'x', { replies: 'all', timeoutMs: 5000 });
      expect([replies.map(({ payload }) => text(payload)), left]).toEqual([[`round ${round}`], []]);
      await until(() => stopped.length === 1);
      await stopped[0];
    }
  });

  it('ignores late and repeated replies', async () => {
    const { sidecar, calls } = await start('client');
    const other = await sidecarAt(sidecar.target).connect({ privateName: 'other' });
    await other.join('g', { awaitView: true });
    const requested = calls[0]!.request('g', 'x', { replies: 2, timeoutMs: 300 });
    let headers: Readonly<Record<string, string>> = {};
    for await (const event of other)
      if (event.kind === 'regular') {
        headers = event.headers;
        break;
      }
    const reply = () =>
      other.multicast(AGREED_MESS, headers['reply-to']!, 'y', 0, {
        headers: { 'correlation-id': headers['correlation-id']! },
      });
    await reply();
    await reply();
    expect((await requested).replies).toHaveLength(1);
    await reply();
    await until(() => calls[0]!.statistics.lateReplies === 1);
    expect(calls[0]!.statistics).toEqual({ open: 0, lateReplies: 1, duplicateReplies: 1 });
  });

  it('passes other events on', async () => {
    const sidecar = await startSidecar();
    const kinds: string[] = [];
    const calls = await openRequestReply(sidecarAt(sidecar.target), {
      onEvent: ({ kind }) => kinds.push(kind),
    });
    onTestFinished(() => calls.close());
    await calls.serve('g', () => '');
    const other = await sidecarAt(sidecar.target).connect();
    await other.multicast(AGREED_MESS, 'g', 'not a request');
    await until(() => kinds.length === 2);
    expect(kinds).toEqual(['view', 'regular']);
  });
});

describe('the end of the mailbox', () => {
  it('ends open requests, and all later ones', async () => {
    const { calls } = await start('client');
    const ended = expect(calls[0]!.request('nobody', 'x')).rejects.toMatchObject({
      code: 'ILLEGAL_SESSION',
      outcome: 'unknown',
    });
    await calls[0]!.close();
    await ended;
    await expect(calls[0]!.request('nobody', 'x')).rejects.toMatchObject({
      code: 'ILLEGAL_SESSION',
      outcome: 'not-sent',
    });
  });
});
