import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { type DropPage, dropAnswer } from '../../../server/src/admin/drop-page.js';

/** The result of a request with this query. */
function ask(
  query: string,
  about: { method?: string; peer?: string; outcome?: ReturnType<DropPage['drop']> } = {},
) {
  const { method = 'POST', peer = '127.0.0.1', outcome = 'dropped' } = about;
  const drop = vi.fn<DropPage['drop']>(() => outcome);
  const page = { credential: undefined, onRefused: vi.fn<DropPage['onRefused']>(), drop };
  const request = { method, headers: {}, socket: { remoteAddress: peer, remotePort: 1 } };
  return {
    ...dropAnswer(page, request as unknown as IncomingMessage, query),
    dropped: drop.mock.calls.flat(),
  };
}

describe('POST /drop-mailbox', () => {
  it.each([
    ['dropped', 204],
    ['unknown', 404],
    ['not-connected', 409],
  ] as const)('answers %s with %i', (outcome, status) => {
    expect(ask('mailbox=%23alice%23node1', { outcome })).toMatchObject({ status, dropped: ['#alice#node1'] });
  });

  it.each(['', 'mailbox=', 'mailbox=a&mailbox=b', 'mailboxes=a'])('requires one mailbox: "%s"', (query) => {
    expect(ask(query)).toMatchObject({ status: 400, dropped: [] });
  });

  it('is rejected for other machines and for GET', () => {
    expect(ask('mailbox=m1', { peer: '10.0.0.7' })).toMatchObject({ status: 403, dropped: [] });
    expect(ask('mailbox=m1', { method: 'GET' })).toMatchObject({ status: 405, dropped: [] });
  });
});
