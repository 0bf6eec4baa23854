import { status } from '@grpc/grpc-js';
import type { MailboxOptions, RegularMessage, SpreadError, TokenSource } from 'spread-sidecar-client';
import { describe, expect, it } from 'vitest';
import { fakeService, sidecarAt } from '../../support/clients/client.js';
import { until } from '../../support/until.js';

const WITHDRAWN = { code: status.UNAUTHENTICATED, reason: 'CREDENTIAL_INVALID' };

async function openWith(token: TokenSource, options: MailboxOptions = {}) {
  const service = await fakeService();
  const sidecar = sidecarAt(service.target, { token });
  const mailbox = await sidecar.connect({ autoReceive: true, ...options });
  await until(() => service.mailbox.attached);
  const tokensOf = (method: string) =>
    service.calls
      .filter((call) => call.method === method)
      .map(({ headers }) => String(headers.authorization).replace('Bearer ', ''));
  return { service, sidecar, mailbox, fake: service.mailbox, tokensOf };
}

describe('a token that is revoked while a Receive is active', () => {
  it('is read again until the sidecar accepts it; no event is lost', async () => {
    const tokens = ['first', 'first', 'old', 'old', 'new'];
    const { service, mailbox, fake, tokensOf } = await openWith(() => tokens.shift() ?? 'new');
    const reasons: string[] = [];
    mailbox.on('detached', (error) => reasons.push(error.reason));
    fake.message('1');
    expect(((await mailbox.receive()) as RegularMessage).text()).toBe('1');
    service.fail('receive', WITHDRAWN, WITHDRAWN);
    fake.fail(WITHDRAWN);
    fake.message('2');
    expect(((await mailbox.receive()) as RegularMessage).text()).toBe('2');
    expect(tokensOf('receive')).toEqual(['first', 'old', 'old', 'new']);
    expect(reasons).toEqual(['CREDENTIAL_INVALID']);
    expect(fake.receives.map(({ afterSequence }) => afterSequence)).toEqual([0n, 1n]);
  });

  it('may be unavailable for a moment, such as a file that is being replaced', async () => {
    let missing = 0;
    const { mailbox, fake } = await openWith(() => {
      if (missing === 0) return 'token';
      missing -= 1;
      throw new Error('no such file');
    });
    missing = 2;
    fake.fail({ code: status.UNAVAILABLE });
    fake.message('1');
    expect(((await mailbox.receive()) as RegularMessage).text()).toBe('1');
  });

  it('ends the receiving after the lease without a new token, with few calls until then', async () => {
    const { service, sidecar, mailbox, fake } = await openWith(async () => 'old', { leaseMs: 300 });
    service.fail('receive', ...Array.from({ length: 1000 }, () => WITHDRAWN));
    fake.fail(WITHDRAWN);
    const error: SpreadError = await mailbox.receive().then(
      () => expect.fail('an event'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ statusName: 'UNAUTHENTICATED', reason: 'CREDENTIAL_INVALID' });
    expect(service.count('receive')).toBeLessThan(50);
    // No keepalive calls for this mailbox, in contrast to another open one.
    const pollsOf = (id: string) =>
      service.calls.filter(
        ({ method, request }) => method === 'poll' && (request as { mailboxId: string }).mailboxId === id,
      ).length;
    const other = await sidecar.connect({ leaseMs: 300 });
    // A poll that was active at the end of receiving has arrived before that call.
    const polls = pollsOf(mailbox.id);
    await until(() => pollsOf(other.id) >= 3);
    expect(pollsOf(mailbox.id)).toBe(polls);
  });

  it('ends receiving immediately when the token is a constant', async () => {
    const { service, mailbox, fake } = await openWith('the-only-one');
    fake.fail(WITHDRAWN);
    await expect(mailbox.receive()).rejects.toMatchObject({ reason: 'CREDENTIAL_INVALID' });
    expect(service.count('receive')).toBe(1);
  });

  it('does not end the acknowledgements', async () => {
    const { service, mailbox, fake } = await openWith(() => 'token', { acknowledgement: 'EXPLICIT' });
    service.fail('acknowledge', WITHDRAWN, WITHDRAWN);
    for (const text of ['1', '2', '3']) fake.message(text);
    for (let i = 0; i < 3; i += 1) await mailbox.receive();
    await until(() => fake.acknowledged === 2n);
  });
});
