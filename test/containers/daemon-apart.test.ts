import { AGREED_MESS, type Mailbox, SpreadError } from 'spread-sidecar-client';
import { SpreadSidecarContainer, type StartedSpreadSidecarContainer } from 'spread-sidecar-testcontainers';
import {
  GenericContainer,
  Network,
  type StartedNetwork,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { beforeAll, describe, expect, it } from 'vitest';
import { inEngine, networkInEngine, started } from '../support/containers/containers.js';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';
import { until, within } from '../support/until.js';

const TEST_MS = 90_000;
/** Time to restart a container on a small machine. */
const RETURN_MS = 30_000;
let image: string;

interface Scene {
  readonly network: StartedNetwork;
  readonly daemon: StartedTestContainer;
  readonly sidecar: StartedSpreadSidecarContainer;
  readonly alice: Mailbox;
}

/** A daemon, a sidecar in the same network that uses it, and a reconnecting mailbox in a group. */
async function scene(): Promise<Scene> {
  const network = await started(new Network().start());
  const daemon = await started(
    new GenericContainer(image)
      .withCommand(['daemon', '--listen', '0.0.0.0', '--socket', 'off'])
      .withExposedPorts(4803)
      .withNetwork(network)
      .withNetworkAliases('spread')
      .withWaitStrategy(Wait.forListeningPorts())
      .start(),
  );
  const sidecar = await started(
    new SpreadSidecarContainer(image)
      .withDaemonAddresses('4803@spread')
      .withNetwork(network)
      .withEnvironment({ SPREAD_SIDECAR_DAEMON_MONITOR_BACKOFF_MAX: '500ms' })
      .start(),
  );
  const reconnect = { initialBackoffMs: 50, maxBackoffMs: 500, giveUpAfterMs: 60_000 };
  const alice = await sidecar.client().connect({ privateName: 'alice', reconnect, leaseMs: 5000 });
  await alice.join('g', { awaitView: true });
  return { network, daemon, sidecar, alice };
}

/** The events up to the first of this kind, by kind. */
async function kindsUntil(mailbox: Mailbox, kind: string, timeoutMs = RETURN_MS): Promise<string[]> {
  const kinds: string[] = [];
  while (kinds.at(-1) !== kind) kinds.push((await within(mailbox.receive(), kind, timeoutMs)).kind);
  return kinds;
}

async function readyz(sidecar: StartedSpreadSidecarContainer): Promise<number> {
  const page = sidecar.metricsUrl.replace('/metrics', '/readyz');
  return fetch(page, { signal: AbortSignal.timeout(2000) }).then(
    ({ status }) => status,
    () => 0,
  );
}

/** Sends a message and waits until the mailbox receives it. */
async function roundTrip(mailbox: Mailbox, text: string): Promise<void> {
  await mailbox.multicast(AGREED_MESS, 'g', text);
  for (;;) {
    const event = await within(mailbox.receive(), text, RETURN_MS);
    if (event.kind === 'regular' && event.text() === text) return;
  }
}

const isReady = (sidecar: StartedSpreadSidecarContainer, status: number) =>
  until(async () => (await readyz(sidecar)) === status, {
    what: `/readyz says ${status}`,
    timeoutMs: RETURN_MS,
  });

describe.skipIf(!isAvailable('docker'))('a daemon in another container', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);

  it('can be killed and restart: the sidecar is not ready meanwhile, and its mailbox reports the break', async () => {
    const { daemon, sidecar, alice } = await scene();
    await roundTrip(alice, 'before');
    await (await inEngine(daemon)).kill({ signal: 'SIGKILL' });
    await kindsUntil(alice, 'connectionLost');
    await isReady(sidecar, 503);
    await expect(alice.multicast(AGREED_MESS, 'g', 'meanwhile')).rejects.toMatchObject({
      statusName: 'UNAVAILABLE',
      reason: 'RECONNECTING',
    });
    await (await inEngine(daemon)).start();
    await kindsUntil(alice, 'connectionRestored');
    await isReady(sidecar, 200);
    await roundTrip(alice, 'after');
  });

  it('can be paused: nothing is lost, and the mailbox does not notice', async () => {
    const { daemon, alice } = await scene();
    await alice.receive(); // the view
    await (await inEngine(daemon)).pause();
    await alice.multicast(AGREED_MESS, 'g', 'is anybody there?');
    await expect(alice.receive({ timeoutMs: 500 })).rejects.toThrow('no event within 500 ms');
    await (await inEngine(daemon)).unpause();
    expect(await within(alice.receive(), 'the message', RETURN_MS)).toMatchObject({ kind: 'regular' });
  });

  it('can be disconnected from the network: messages arrive after the reconnection', async () => {
    const { network, daemon, alice } = await scene();
    await alice.receive(); // the view
    const cable = await networkInEngine(network.getId());
    await cable.disconnect({ Container: daemon.getId() });
    await alice.multicast(AGREED_MESS, 'g', 'into the void');
    await expect(alice.receive({ timeoutMs: 500 })).rejects.toThrow('no event within 500 ms');
    await cable.connect({ Container: daemon.getId(), EndpointConfig: { Aliases: ['spread'] } });
    // The TCP connection continues if the address stays the same. Otherwise the mailbox reconnects and reports that.
    const event = await within(alice.receive(), 'the message, or the break', 60_000);
    if (event.kind === 'regular') expect(event.text()).toBe('into the void');
    else {
      expect(event.kind).toBe('connectionLost');
      await kindsUntil(alice, 'connectionRestored');
    }
    await roundTrip(alice, 'afterwards');
  });

  it('survives the kill of the sidecar: others see the member leave, and the client gets an error that it must restart', async () => {
    const { network, sidecar, alice } = await scene();
    const other = await started(
      new SpreadSidecarContainer(image).withDaemonAddresses('4803@spread').withNetwork(network).start(),
    );
    const bob = await other.client().connect({ privateName: 'bob' });
    await bob.join('g', { awaitView: true });
    const end = (async () => {
      for (;;) await alice.receive();
    })().catch((error: unknown) => error);
    await (await inEngine(sidecar)).kill({ signal: 'SIGKILL' });
    const left = await until(
      async () => {
        const event = await bob.receive();
        return event.kind === 'view' && event.members.length === 1 && event;
      },
      { what: 'the view without alice', timeoutMs: RETURN_MS },
    );
    expect(left).toMatchObject({ cause: 'DISCONNECT', changedMembers: ['#alice#localhost'] });

    await (await inEngine(sidecar)).start();
    const error = await within(end, 'the end of the mailbox', 60_000);
    expect(error).toBeInstanceOf(SpreadError);
    await roundTrip(bob, 'bob goes on');
  });

  it('can pause together with its sidecar: the client waits, and then receives everything', async () => {
    const { sidecar, alice } = await scene();
    await alice.receive(); // the view
    const inside = await inEngine(sidecar);
    await inside.pause();
    const sent = alice.multicast(AGREED_MESS, 'g', 'slowly', 0, { timeoutMs: 60_000 });
    const state = (await inside.inspect()).State;
    expect(state.Paused).toBe(true);
    await inside.unpause();
    await sent;
    expect(await within(alice.receive(), 'the message', RETURN_MS)).toMatchObject({ kind: 'regular' });
  });
});
