import { createServer } from 'node:net';
import { AGREED_MESS, type SpreadError, SpreadSidecar } from 'spread-sidecar-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Session } from '../../server/src/spread/session.js';
import { startEmbeddedDaemon } from '../support/daemons/embedded-daemon.js';
import { RealSpread } from '../support/daemons/real-spread.js';
import { FaultProxy } from '../support/network/fault-proxy.js';
import { isAvailable } from '../support/requirements.mjs';
import { startWhole, startWholeAt, type WholeSidecar } from '../support/sidecars/whole-sidecar.js';
import { until, within } from '../support/until.js';
import { startLogged } from '../support/wire/session-log.js';

const failureOf = (call: Promise<unknown>): Promise<SpreadError> =>
  within(
    call.then(
      () => expect.fail('it did not fail'),
      (error: SpreadError) => error,
    ),
    'the failure',
  );

/** Kills the sidecar without a shutdown. */
async function kill({ process }: WholeSidecar): Promise<void> {
  process.kill('SIGKILL');
  expect(await process.exited).toEqual({ code: null, signal: 'SIGKILL' });
}

/** A session that connects directly to the daemon, in group g. */
async function observerAt(address: string) {
  const session = await Session.connect({ address, privateName: 'observer' });
  const log = startLogged(session);
  session.join('g');
  return { session, log };
}

/** The daemon, an observer there, and a mailbox in group g that the observer sees. */
async function withObserver(address: string) {
  const observer = await observerAt(address);
  const started = await startWholeAt(address);
  const mailbox = await started.sidecar.connect({ privateName: 'app' });
  await mailbox.join('g', { awaitView: true });
  await until(() =>
    observer.log.messages.some((message) => message.kind === 'view' && message.cause === 'JOIN'),
  );
  return { ...started, observer, mailbox, started };
}

const leftBy = ({ log }: Awaited<ReturnType<typeof observerAt>>, member: string) =>
  until(
    () =>
      log.messages.find(
        (message) => message.kind === 'view' && message.changed[0] === member && message.cause !== 'JOIN',
      ),
    {
      timeoutMs: 15_000,
      what: `${member} is gone`,
    },
  );

describe('members of its groups', () => {
  it('see the mailboxes of a killed sidecar DISCONNECT, each after its last message', async () => {
    const daemon = await startEmbeddedDaemon({ name: 'node' });
    const { observer, mailbox, started } = await withObserver(`${daemon.tcp.port}@127.0.0.1`);
    for (let i = 0; i < 100; i += 1) await mailbox.multicast(AGREED_MESS, 'g', `${i}`);
    await kill(started);
    expect(await leftBy(observer, '#app#node')).toMatchObject({
      cause: 'DISCONNECT',
      members: ['#observer#node'],
    });
    const texts = observer.log.messages.flatMap((message) =>
      message.kind === 'regular' ? [message.payload.toString()] : [],
    );
    // The kernel, and so the daemon, had every message that the sidecar confirmed.
    expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
    await until(() => daemon.daemon.counters().sessions === 1, { what: 'its own session has ended too' });
  });

  it.skipIf(!isAvailable('spread-home'))(
    'see the same from a genuine daemon',
    { timeout: 60_000 },
    async () => {
      const spread = await RealSpread.start();
      onTestFinished(() => spread.stop());
      const { observer, mailbox, started } = await withObserver(`${spread.port}@127.0.0.1`);
      await mailbox.multicast(AGREED_MESS, 'g', 'last');
      await kill(started);
      expect(await leftBy(observer, '#app#localhost')).toMatchObject({
        cause: 'DISCONNECT',
        members: ['#observer#localhost'],
      });
      expect(observer.log.messages.some((message) => message.kind === 'regular')).toBe(true);
    },
  );
});

describe('an application whose sidecar is killed', () => {
  /** All kinds of client calls, while the daemon reads nothing more. */
  async function busy() {
    const daemon = await startEmbeddedDaemon({ name: 'node' });
    const proxy = await FaultProxy.start(daemon.tcp.port);
    onTestFinished(() => proxy.stop());
    const started = await startWholeAt(`${proxy.port}@127.0.0.1`);
    const mailbox = await started.sidecar.connect({ privateName: 'app', autoReceive: true });
    await mailbox.join('g', { awaitView: true });
    await mailbox.receive();
    const idle = mailbox.sender();
    await idle.send(AGREED_MESS, 'g', 'sent');
    await idle.flush();
    await mailbox.receive();
    proxy.silent = true;
    return { started, mailbox, idle };
  }

  it('immediately learns the outcome of all messages in flight', async () => {
    const { started, mailbox, idle } = await busy();
    const detached: SpreadError[] = [];
    mailbox.on('detached', (error) => detached.push(error));
    const joining = failureOf(mailbox.join('h', { awaitView: true }));
    const payload = Buffer.alloc(140_000);
    const sends = Array.from({ length: 100 }, () => mailbox.multicast(AGREED_MESS, 'g', payload));
    const settled = Promise.allSettled(sends);
    await until(async () => (await mailbox.info()).sendQueueBytes > 0n, { what: 'sends wait' });
    const stream = mailbox.sender();
    await stream.send(AGREED_MESS, 'g', 'in doubt');
    const flushing = failureOf(stream.flush());
    await kill(started);

    expect(await joining).toMatchObject({ statusName: 'UNAVAILABLE', reason: '', retryable: true });
    const failures = (await within(settled, 'the sends')).flatMap((send) =>
      send.status === 'rejected' ? [send.reason as SpreadError] : [],
    );
    const cut = failures.filter(({ statusName }) => statusName === 'UNAVAILABLE');
    expect(cut.length).toBeGreaterThan(0);
    for (const error of cut) expect(error).toMatchObject({ reason: '', outcome: 'unknown' });
    // The other calls found the queue full.
    for (const error of failures) if (!cut.includes(error)) expect(error.reason).toBe('SEND_QUEUE_FULL');
    expect(await flushing).toMatchObject({ statusName: 'UNAVAILABLE', outcome: 'unknown' });
    expect(stream.undecided).toHaveLength(1);
    // The stream without queued messages also ends with the reason.
    await until(() => idle.closed);
    expect(await failureOf(idle.send(AGREED_MESS, 'g', 'x'))).toMatchObject({
      statusName: 'UNAVAILABLE',
      outcome: 'not-sent',
    });
    expect(idle.undecided).toEqual([]);
    await until(() => detached.length === 1);
    expect(detached[0]).toMatchObject({ statusName: 'UNAVAILABLE', reason: '' });
    const call = await failureOf(mailbox.multicast(AGREED_MESS, 'g', 'x'));
    expect(call).toMatchObject({
      statusName: 'UNAVAILABLE',
      reason: 'SIDECAR_UNREACHABLE',
      outcome: 'not-sent',
    });
  });

  it('learns from the next sidecar that its mailbox does not exist, and restarts', async () => {
    const started = await startWhole();
    const mailbox = await started.sidecar.connect({ privateName: 'app', autoReceive: true });
    await mailbox.join('g', { awaitView: true });
    await mailbox.receive();
    const receiving = failureOf(mailbox.receive({ timeoutMs: 30_000 }));
    await kill(started);
    await started.again();

    const unknownMailbox = { code: 'ILLEGAL_SESSION', number: -11, statusName: 'NOT_FOUND' };
    expect(await receiving).toMatchObject(unknownMailbox);
    expect(await failureOf(mailbox.multicast(AGREED_MESS, 'g', 'x'))).toMatchObject({
      ...unknownMailbox,
      outcome: 'not-sent',
    });
    expect(
      await failureOf(
        mailbox
          .sender()
          .flush()
          .then(() => mailbox.join('g')),
      ),
    ).toMatchObject(unknownMailbox);
    expect(await failureOf(started.sidecar.attach(mailbox.id))).toMatchObject(unknownMailbox);
    expect(await mailbox.disconnect()).toBe(false);

    const anew = await started.sidecar.connect({ privateName: 'app' });
    expect(anew.privateGroup).toBe(mailbox.privateGroup);
    expect((await anew.join('g', { awaitView: true }))?.members).toEqual([anew.privateGroup]);
  });

  it('over a Unix socket reaches the next sidecar, which replaces the socket file of the killed one', async () => {
    const started = await startWhole();
    const sidecar = new SpreadSidecar({ target: `unix:${started.sockets.grpc}` });
    onTestFinished(() => sidecar.close({ keepMailboxes: true }));
    const mailbox = await sidecar.connect({ autoReceive: true });
    await kill(started);
    await started.again();
    expect(await failureOf(mailbox.receive({ timeoutMs: 30_000 }))).toMatchObject({
      code: 'ILLEGAL_SESSION',
    });
    await (await sidecar.connect()).disconnect();
  });

  it('gives up after the lease without a new sidecar, and uses few resources until then', async () => {
    const started = await startWhole();
    const mailbox = await started.sidecar.connect({ autoReceive: true, leaseMs: 2000 });
    await until(async () => (await mailbox.info()).receiverAttached);
    const receiving = failureOf(mailbox.receive());
    await kill(started);
    // A listener that counts connections.
    let attempts = 0;
    const counter = createServer((socket) => {
      attempts += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => counter.listen(started.ports.grpc, '127.0.0.1', resolve));
    onTestFinished(() => void counter.close());
    expect(await receiving).toMatchObject({
      statusName: 'UNAVAILABLE',
      reason: 'SIDECAR_UNREACHABLE',
      message: expect.stringContaining('could not be reached for 2000 ms'),
    });
    expect(attempts).toBeGreaterThan(0);
    expect(attempts).toBeLessThan(30);
  });
});
