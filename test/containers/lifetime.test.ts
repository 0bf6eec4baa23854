import { setTimeout as delay } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { AGREED_MESS, type SpreadError } from 'spread-sidecar-client';
import { MailboxServiceClient } from 'spread-sidecar-proto';
import { SpreadSidecarContainer } from 'spread-sidecar-testcontainers';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { endBy, inEngine, logOf, started } from '../support/containers/containers.js';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { until, within } from '../support/until.js';

const TEST_MS = 90_000;
/** Messages of 100 KB for six receivers: eight times the memory of the container. */
const FLOOD = 3000;
/** A sender that waits this long for slow receivers has sent enough. Unit: ms. */
const FLOOD_MS = 20_000;
let image: string;

/** An application that shares the network of a sidecar, like the containers of a pod. */
const beside = (sidecar: StartedTestContainer, ...command: string[]) =>
  new GenericContainer(image)
    .withCommand(command)
    .withNetworkMode(`container:${sidecar.getId()}`)
    // The health check of the image expects a sidecar, but this container runs an application.
    .withWaitStrategy(Wait.forLogMessage(/receiving as/));

describe.skipIf(!isAvailable('docker'))('the life of a sidecar in a container', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);

  it('delivers queued events, reports DRAINING to its receivers, and exits with 0', async () => {
    const sidecar = await started(new SpreadSidecarContainer(image).start());
    const alice = await sidecar.client().connect({ privateName: 'alice' });
    await alice.join('g', { awaitView: true });
    for (let i = 0; i < 100; i += 1) await alice.multicast(AGREED_MESS, 'g', String(i));
    // A sidecar waits only for mailboxes with a receiver.
    expect(await alice.receive()).toMatchObject({ kind: 'view' });
    const ended = endBy(sidecar, 'SIGTERM');
    const texts: string[] = [];
    const error = await (async () => {
      for (;;) {
        const event = await alice.receive();
        if (event.kind === 'regular') texts.push(event.text());
      }
    })().catch((reason: SpreadError) => reason);
    expect(error).toMatchObject({ statusName: 'UNAVAILABLE', reason: 'DRAINING' });
    expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
    expect(await ended).toBe(0);
  });

  it('follows the order of a native sidecar in Kubernetes: sidecar ready, application, its end, SIGTERM', async () => {
    const sidecar = await started(new SpreadSidecarContainer(image).start());
    // The startupProbe, for which Kubernetes waits before it starts the application.
    const probe = sidecar.metricsUrl.replace('/metrics', '/startupz');
    expect((await fetch(probe)).status).toBe(200);

    const application = await started(beside(sidecar, 'receive', 'cats', '--follow', '--json').start());
    const bob = await sidecar.client().connect({ privateName: 'bob' });
    await bob.multicast(AGREED_MESS, 'cats', 'work');
    await until(async () => (await logOf(application)).includes('"text":"work"'), {
      what: 'the application has its message',
      timeoutMs: 20_000,
    });
    await bob.join('cats', { awaitView: true });

    // The application ends first, with a clean disconnect, which the other members see.
    await (await inEngine(application)).stop({ t: 10 });
    const view = await until(
      async () => {
        const event = await within(bob.receive(), 'the view', 20_000);
        return event.kind === 'view' && event.members.length === 1 && event;
      },
      { what: 'the view without the application', timeoutMs: 30_000 },
    );
    expect(view.members).toEqual([bob.privateGroup]);
    await bob.disconnect();
    expect(await endBy(sidecar, 'SIGTERM')).toBe(0);
  });

  it('serves during the shutdown delay when it gets SIGTERM together with the application', async () => {
    const sidecar = await started(
      new SpreadSidecarContainer(image).withEnvironment({ SPREAD_SIDECAR_SHUTDOWN_DELAY: '60s' }).start(),
    );
    const alice = await sidecar.client().connect({ privateName: 'alice' });
    await alice.join('g', { awaitView: true });
    const ended = endBy(sidecar, 'SIGTERM');
    const ready = sidecar.metricsUrl.replace('/metrics', '/readyz');
    await until(async () => (await fetch(ready)).status === 503, {
      what: '/readyz says 503',
      timeoutMs: 10_000,
    });
    await alice.multicast(AGREED_MESS, 'g', 'the last word');
    for (let event = await alice.receive(); event.kind !== 'regular'; ) event = await alice.receive();
    // Without clients, the delay ends early.
    await sidecar.client().close();
    expect(await ended).toBe(0);
  });

  it('stays below a memory limit of 256 MiB while a receiver is stalled', async () => {
    const sidecar = await started(
      new SpreadSidecarContainer(image)
        .withResourcesQuota({ memory: 0.25 })
        .withEnvironment({ SPREAD_SIDECAR_MAILBOX_OVERFLOW: 'disconnect' })
        .start(),
    );
    const client = sidecar.client();
    // This receiver never reads an event.
    const stalled = await client.connect({ privateName: 'stalled', membership: false });
    await stalled.join('g');
    const sender = await client.connect({ privateName: 'sender', membership: false });
    const payload = Buffer.alloc(32 * 1024, 'x');
    const seen = { reason: '' };
    const flow = sender.sender();
    await until(
      async () => {
        for (let i = 0; i < 100; i += 1) await flow.send(AGREED_MESS, 'g', payload);
        await flow.flush();
        const metrics = await (await fetch(sidecar.metricsUrl)).text();
        seen.reason =
          /^spread_sidecar_mailboxes_ended_total\{reason="(QUEUE_OVERFLOW)"\} 1$/m.exec(metrics)?.[1] ?? '';
        return seen.reason;
      },
      { what: 'the stalled mailbox ends', timeoutMs: 60_000 },
    );
    const { State } = await (await inEngine(sidecar)).inspect();
    expect([State.Running, State.OOMKilled]).toEqual([true, false]);
    expect(await sender.poll()).toMatchObject({ state: 'OPEN' });
  });

  it('stays below a memory limit of 256 MiB while six receivers are stalled under a flood', async () => {
    const sidecar = await started(
      new SpreadSidecarContainer(image).withResourcesQuota({ memory: 0.25 }).start(),
    );
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc-node.flow_control_window': 65_535 };
    for (let i = 0; i < 6; i += 1) {
      const client = new MailboxServiceClient(sidecar.grpcTarget, credentials.createInsecure(), options);
      onTestFinished(() => client.close());
      const mailbox = await TestMailbox.open(client);
      await mailbox.call('join', { group: 'flood', awaitView: true });
      const receiving = mailbox.receive();
      await receiving.attached();
      receiving.stream.pause();
    }
    const sender = await sidecar.client().connect({ privateName: 'sender', membership: false });
    const flow = sender.sender();
    const payload = Buffer.alloc(100_000, 'x');
    const end = Date.now() + FLOOD_MS;
    let sent = 0;
    while (sent < FLOOD && Date.now() < end) {
      await Promise.race([flow.send(AGREED_MESS, 'flood', payload), delay(end - Date.now())]);
      sent += 1;
    }
    const { State } = await (await inEngine(sidecar)).inspect();
    expect([State.Running, State.OOMKilled]).toEqual([true, false]);
    expect(await sender.poll()).toMatchObject({ state: 'OPEN' });
  });
});
