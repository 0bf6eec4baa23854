import { readFileSync } from 'node:fs';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { AGREED_MESS, type SpreadError } from 'spread-sidecar-client';
import { DEFAULT_IMAGE, SpreadSidecarContainer } from 'spread-sidecar-testcontainers';
import { getContainerRuntimeClient, Network } from 'testcontainers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../../../scripts/build.mjs';
import { IMAGE_MS, sidecarImage } from '../../support/containers/image.js';
import { TestAuthority } from '../../support/network/certificates.js';
import { isAvailable } from '../../support/requirements.mjs';
import { until } from '../../support/until.js';

const TEST_MS = 90_000;
const TOKEN = '0123456789abcdef-client';
let image: string;

describe.skipIf(!isAvailable('docker'))('the Testcontainers module for Node', { timeout: TEST_MS }, () => {
  beforeAll(async () => {
    image = await sidecarImage();
  }, IMAGE_MS);

  // begin sample
  it('receives the greeting of the README', async () => {
    const sidecar = await new SpreadSidecarContainer().start();
    onTestFinished(async () => {
      await sidecar.stop();
    });
    const alice = await sidecar.client().connect({ privateName: 'alice' });
    await alice.join('greetings', { awaitView: true });
    await alice.multicast(AGREED_MESS, 'greetings', 'hello, group', 7);

    let event = await alice.receive();
    while (event.kind !== 'regular') event = await alice.receive();
    expect([event.sender, event.text()]).toEqual(['#alice#localhost', 'hello, group']);
  }, 60_000);
  // end sample

  // begin sample
  it('drops the daemon connection of a mailbox', async () => {
    const sidecar = await new SpreadSidecarContainer().start();
    onTestFinished(async () => {
      await sidecar.stop();
    });
    const alice = await sidecar.client().connect({ privateName: 'alice', reconnect: true });
    await alice.join('greetings', { awaitView: true });
    await alice.receive(); // the view

    await sidecar.dropMailbox(alice.privateGroup);
    expect(await alice.receive()).toMatchObject({ kind: 'connectionLost', groups: ['greetings'] });
    expect(await alice.receive()).toMatchObject({ kind: 'connectionRestored', groups: ['greetings'] });
  });
  // end sample

  // begin sample
  it('pauses the daemon', async () => {
    const sidecar = await new SpreadSidecarContainer().withSeparateDaemon().start();
    onTestFinished(async () => {
      await sidecar.stop();
    });
    const alice = await sidecar.client().connect({ privateName: 'alice' });
    await alice.join('greetings', { awaitView: true });
    await alice.receive(); // the view

    await sidecar.pauseDaemon();
    await alice.multicast(AGREED_MESS, 'greetings', 'is anybody there?');
    await expect(alice.receive({ timeoutMs: 500 })).rejects.toThrow('no event within 500 ms');

    await sidecar.resumeDaemon();
    expect(await alice.receive()).toMatchObject({ kind: 'regular' });
  });
  // end sample

  it('contains the code of its README', () => {
    const readme = readFileSync(join(root, 'clients/testcontainers/node/README.md'), 'utf8');
    const test = readFileSync(join(root, 'test/containers/modules/node.test.ts'), 'utf8');
    const samples = [...test.matchAll(/^ {2}\/\/ begin sample\n(.*?)^ {2}\/\/ end sample\n/gms)].map(
      ([, text = '']) => text.replaceAll(/^ {2}/gm, ''),
    );
    expect(samples).toHaveLength(3);
    for (const sample of samples) expect(readme).toContain(sample);
  });

  it('supports TLS, a token and a configuration', async () => {
    const authority = await TestAuthority.create();
    const { cert, key } = await authority.server();
    const sidecar = await new SpreadSidecarContainer(image)
      .withTls({ cert, key, ca: authority.cert })
      .withToken(TOKEN)
      .withDaemonName('node7')
      .withConfig({ mailbox: { maxMailboxes: 1 } })
      .start();
    onTestFinished(async () => {
      await sidecar.stop();
    });
    const mailbox = await sidecar.client().connect({ privateName: 'bob' });
    expect(mailbox.privateGroup).toBe('#bob#node7');
    await expect(sidecar.client().connect()).rejects.toMatchObject({ reason: 'TOO_MANY_MAILBOXES' });
    const metrics = await (await fetch(sidecar.metricsUrl)).text();
    expect(metrics).toMatch(/^spread_sidecar_mailboxes\S* 1$/m);
    expect(sidecar.adminToken).toHaveLength(32);
  });

  it('has addresses of its daemon for Spread clients inside and outside of Docker', async () => {
    const network = await new Network().start();
    onTestFinished(async () => {
      await network.stop();
    });
    const first = await new SpreadSidecarContainer(image)
      .withNetwork(network)
      .withNetworkAliases('first')
      .start();
    onTestFinished(async () => {
      await first.stop();
    });
    const [port, host] = first.spreadDaemon.split('@');
    await new Promise((resolve, reject) => {
      const socket = openSocket(Number(port), host).once('connect', resolve).once('error', reject);
      onTestFinished(() => void socket.destroy());
    });
    expect(first.spreadDaemonInNetwork).toBe('4803@first');

    const second = await new SpreadSidecarContainer(image)
      .withNetwork(network)
      .withDaemonAddresses(first.spreadDaemonInNetwork)
      .start();
    onTestFinished(async () => {
      await second.stop();
    });
    const [alice, bob] = [await first.client().connect(), await second.client().connect()];
    await alice.join('g', { awaitView: true });
    await bob.join('g', { awaitView: true });
    await until(async () => (await alice.view('g')).view.members.length === 2, {
      what: 'both are in the group',
    });
    expect(() => second.spreadDaemon).toThrow('the sidecar uses the daemon 4803@first');
    await expect(second.pauseDaemon()).rejects.toThrow('withSeparateDaemon()');
  });

  it("reports the sidecar's error when it does not start, and removes everything", async () => {
    // A separate name distinguishes its containers from those of concurrent tests.
    const [repo, tag] = ['spread-sidecar', `leak-${process.pid}`] as const;
    const name = `${repo}:${tag}`;
    const { dockerode } = (await getContainerRuntimeClient()).container;
    await dockerode.getImage(image).tag({ repo, tag });
    onTestFinished(async () => {
      await dockerode.getImage(name).remove();
    });

    const container = new SpreadSidecarContainer(name)
      .withSeparateDaemon()
      .withConfig({ mailbox: { maxMailbox: 1 } });
    await expect(container.start()).rejects.toThrow();
    await expect(
      new SpreadSidecarContainer(name).withSeparateDaemon().withDaemonAddresses('4803@a').start(),
    ).rejects.toThrow('are both set; set only one of them');
    const left = await dockerode.listContainers({ all: true });
    expect(left.filter(({ Image }) => Image === name)).toEqual([]);
  });

  it('names a missing image, and how to build it', async () => {
    const name = 'spread-sidecar-missing.invalid/spread-sidecar:none';
    const start = new SpreadSidecarContainer(name).start();
    await expect(start).rejects.toThrow(
      `the Docker engine cannot find or pull the image ${name}; build spread-sidecar:test with "npm run image"`,
    );
    await expect(start).rejects.toMatchObject({ cause: expect.anything() });
    await expect(new SpreadSidecarContainer(name).withSeparateDaemon().start()).rejects.toThrow(name);
  });

  it('has a default image', () => {
    expect(DEFAULT_IMAGE).toBe(process.env.SPREAD_SIDECAR_IMAGE || 'spread-sidecar:test');
  });

  it('rejects the drop of an unknown mailbox', async () => {
    const sidecar = await new SpreadSidecarContainer(image).start();
    await expect(sidecar.dropMailbox('#absent#localhost')).rejects.toThrow('the mailbox does not exist');
    const mailbox = await sidecar.client().connect();
    const end = mailbox.receive().catch((error: SpreadError) => error);
    await sidecar.stop();
    expect(await end).toBeInstanceOf(Error);
  });
});
