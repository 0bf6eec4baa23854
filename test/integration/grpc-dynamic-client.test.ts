import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';
import { until } from '../support/until.js';

const protoFolder = new URL('../../proto', import.meta.url).pathname;

type Call = (request: object) => Promise<Record<string, unknown>>;

/** A client that has only the .proto files, as in any other language. */
async function start() {
  const { target } = await startSidecar();
  const definition = loadSync('spread/sidecar/v1/mailbox_service.proto', {
    includeDirs: [protoFolder],
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const { spread } = loadPackageDefinition(definition) as never as {
    spread: {
      sidecar: { v1: { MailboxService: new (...args: unknown[]) => Client & Record<string, never> } };
    };
  };
  const client = new spread.sidecar.v1.MailboxService(target, credentials.createInsecure());
  onTestFinished(() => client.close());
  const unary =
    (name: string): Call =>
    (request) =>
      new Promise((resolve, reject) =>
        (client[name] as unknown as (...args: unknown[]) => void).call(
          client,
          request,
          (error: ServiceError | null, answer: Record<string, unknown>) =>
            error ? reject(error) : resolve(answer),
        ),
      );
  const receive = (request: object) => {
    const frames: Record<string, unknown>[] = [];
    const call = (
      client.Receive as unknown as (request: object) => NodeJS.EventEmitter & { cancel(): void }
    ).call(client, request);
    call.on('data', (frame) => frames.push(frame)).on('error', () => {});
    return { frames, call };
  };
  return { unary, receive };
}

describe('a client made from the .proto files at run time', () => {
  it('connects, joins, multicasts and receives', async () => {
    const { unary, receive } = await start();
    const { mailbox_id, private_group } = await unary('Connect')({ private_name: 'dyn' });
    expect(private_group).toBe('#dyn#localhost');
    const joined = await unary('Join')({ mailbox_id, group: 'chat', await_view: true });
    expect(joined.view).toMatchObject({
      group: 'chat',
      cause: 'MEMBERSHIP_CAUSE_JOIN',
      members: [private_group],
      own_index: 0,
      virtual_synchrony_sets: [{ members: [private_group], mine: true }],
    });
    const message = {
      service_type: 'SERVICE_TYPE_SAFE',
      groups: ['chat'],
      payload: Buffer.from('h\u00e9'),
      message_type: -7,
    };
    expect(await unary('Multicast')({ mailbox_id, message })).toEqual({ bytes_sent: 3 });
    const { frames, call } = receive({ mailbox_id });
    const events = () => frames.flatMap(({ batch }) => (batch as { events: object[] } | null)?.events ?? []);
    await until(() => events().length === 2);
    expect(frames[0]).toMatchObject({ frame: 'attached', attached: { next_sequence: '1', private_group } });
    expect(events()).toMatchObject([
      { sequence: '1', kind: 'membership_view', membership_view: joined.view },
      {
        sequence: '2',
        kind: 'regular_message',
        regular_message: {
          sender: private_group,
          groups: ['chat'],
          service_type: 'SERVICE_TYPE_SAFE',
          message_type: -7,
          payload: Buffer.from('h\u00e9'),
        },
      },
    ]);
    call.cancel();
    expect(await unary('Disconnect')({ mailbox_id })).toEqual({ was_open: true });
  });
});
