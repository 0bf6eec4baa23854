import { SpreadSidecarContainer } from 'spread-sidecar-testcontainers';
import { GenericContainer, Network, Wait } from 'testcontainers';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { clients } from '../../scripts/clients/index.mjs';
import { DriverProcess } from '../conformance/driver-process.js';
import { started } from '../support/containers/containers.js';
import { IMAGE_MS, sidecarImage } from '../support/containers/image.js';
import { isAvailable } from '../support/requirements.mjs';

const LANGUAGES = ['typescript', 'python', 'go'];
const MESSAGES = 50;
const all = isAvailable('docker') && isAvailable('python') && isAvailable('go');
let image: string;

/** An application in one language, with its own sidecar, in the group. */
async function application(language: string, target: string) {
  const client = clients.find((one) => one.language === language)!;
  const driver = await DriverProcess.start(client.driver(), language);
  onTestFinished(async () => {
    await driver.stop();
  });
  const ask = async (op: string, args: Record<string, unknown>) => {
    const answer = await driver.request(op, args).answer;
    if ('error' in answer) throw new Error(`${language}, ${op}: ${answer.error.message}`);
    return answer.ok as Record<string, unknown>;
  };
  await ask('open', { sidecar: 's', target });
  await ask('connect', { sidecar: 's', mailbox: 'm', privateName: language, membership: false });
  await ask('join', { mailbox: 'm', group: 'g' });
  return ask;
}

describe.skipIf(!all)('applications in three languages, each with its own sidecar, at one daemon', () => {
  beforeAll(async () => {
    image = await sidecarImage();
    for (const client of clients) if (LANGUAGES.includes(client.language)) await client.prepare();
  }, IMAGE_MS);

  it('see the same order of all messages', async () => {
    const network = await started(new Network().start());
    await started(
      new GenericContainer(image)
        .withCommand(['daemon', '--listen', '0.0.0.0', '--socket', 'off'])
        .withExposedPorts(4803)
        .withNetwork(network)
        .withNetworkAliases('spread')
        .withWaitStrategy(Wait.forListeningPorts())
        .start(),
    );
    const asks = await Promise.all(
      LANGUAGES.map(async (language) => {
        const sidecar = await started(
          new SpreadSidecarContainer(image).withDaemonAddresses('4803@spread').withNetwork(network).start(),
        );
        return application(language, sidecar.grpcTarget);
      }),
    );
    const payload = (i: number) => Buffer.from(String(i)).toString('base64');
    await Promise.all(
      asks.map(async (ask) => {
        for (let i = 0; i < MESSAGES; i += 1)
          await ask('multicast', { mailbox: 'm', groups: ['g'], serviceType: 'AGREED', payload: payload(i) });
      }),
    );
    const orders = await Promise.all(
      asks.map(async (ask) => {
        const { events } = await ask('receive', {
          mailbox: 'm',
          count: MESSAGES * asks.length,
          timeoutMs: 20_000,
        });
        return (events as Record<string, unknown>[]).map(
          ({ sender, payload: bytes }) => `${sender} ${JSON.stringify(bytes)}`,
        );
      }),
    );
    expect(new Set(orders[0]).size).toBe(MESSAGES * LANGUAGES.length);
    expect(orders[1]).toEqual(orders[0]);
    expect(orders[2]).toEqual(orders[0]);
  }, 120_000);
});
