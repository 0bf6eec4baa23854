import { Acknowledgement, type ConnectRequest } from 'spread-sidecar-proto';
import type { Partially } from '../support/sidecars/sidecar-calls.js';
import { TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { type SidecarFixtureOptions, startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

/** A mailbox that is in the group `chat`, and one that sends to it. */
export async function start(connect: Partially<ConnectRequest> = {}, options: SidecarFixtureOptions = {}) {
  const sidecar = await startSidecar(options);
  const receiver = await TestMailbox.open(sidecar.client, connect);
  const sender = await TestMailbox.open(sidecar.newClient());
  await receiver.call('join', { group: 'chat', awaitView: true });
  const send = async (...texts: (string | Buffer)[]) => {
    for (const text of texts) await sender.send('chat', text);
  };
  /** Waits until the mailbox has received this number of events. */
  const received = (count: number) =>
    until(async () => Number((await receiver.call('getMailbox')).mailbox?.lastSequence) >= count, {
      what: `${count} events`,
    });
  const mailbox = async () => (await receiver.call('getMailbox')).mailbox!;
  return { ...sidecar, receiver, sender, send, received, mailbox };
}

export const EXPLICIT = { acknowledgement: Acknowledgement.EXPLICIT };
