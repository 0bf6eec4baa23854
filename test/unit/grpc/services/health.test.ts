import { type Client, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GrpcServer } from '../../../../server/src/grpc/server.js';
import { HealthBoard } from '../../../../server/src/grpc/services/health.js';
import { formatListenAddress } from '../../../../server/src/net/listen-address.js';
import { GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';
import { rpcErrorOf } from '../../../support/sidecars/rpc-error.js';
import { until, within } from '../../../support/until.js';

const SERVICE = 'spread.sidecar.v1.MailboxService';

interface HealthClient extends Client {
  check(request: object, callback: (error: ServiceError | null, answer: { status: string }) => void): void;
  list(request: object, callback: (error: ServiceError | null, answer: { statuses: object }) => void): void;
  watch(request: object): NodeJS.EventEmitter & { cancel(): void };
}
const { grpc } = loadPackageDefinition(loadSync(protoPath, { enums: String })) as never as {
  grpc: { health: { v1: { Health: new (...args: ConstructorParameters<typeof Client>) => HealthClient } } };
};

async function start() {
  const board = new HealthBoard([SERVICE]);
  const server = new GrpcServer({ services: [board.registration()], bounds: GRPC_BOUNDS });
  const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
  const client = new grpc.health.v1.Health(formatListenAddress(address!), credentials.createInsecure());
  onTestFinished(async () => {
    client.close();
    await server.stop({ graceMs: 0 });
  });
  const check = (service: string) =>
    new Promise<string>((resolve, reject) =>
      client.check({ service }, (error, answer) => (error ? reject(error) : resolve(answer.status))),
    );
  const watch = (service: string) => {
    const call = client.watch({ service });
    const seen: string[] = [];
    call.on('data', (answer: { status: string }) => seen.push(answer.status));
    const end = new Promise<ServiceError>((resolve) => call.once('error', resolve));
    return { call, seen, end };
  };
  return { board, server, client, check, watch };
}

describe('Check', () => {
  it('responds for the server as a whole and for its service', async () => {
    const { board, check } = await start();
    for (const [serving, expected] of [
      [false, 'NOT_SERVING'],
      [true, 'SERVING'],
      [false, 'NOT_SERVING'],
    ] as const) {
      board.setServing(serving);
      expect(await check('')).toBe(expected);
      expect(await check(SERVICE)).toBe(expected);
    }
  });

  it('responds NOT_FOUND for unknown services', async () => {
    const { check } = await start();
    const error = await check('no.such.Service').catch((reason: unknown) => reason);
    expect(rpcErrorOf(error).code).toBe(status.NOT_FOUND);
  });
});

describe('List', () => {
  it('returns all services', async () => {
    const { board, client } = await start();
    board.setServing(true);
    const statuses = await new Promise((resolve) => client.list({}, (_, answer) => resolve(answer.statuses)));
    expect(statuses).toEqual({ '': { status: 'SERVING' }, [SERVICE]: { status: 'SERVING' } });
  });
});

describe('Watch', () => {
  it('sends the current status immediately, and then every change', async () => {
    const { board, watch } = await start();
    const { seen } = watch(SERVICE);
    await until(() => seen.length === 1);
    board.setServing(true);
    await until(() => seen.length === 2);
    board.setServing(false);
    await until(() => seen.length === 3);
    expect(seen).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });

  it('sends nothing without a change', async () => {
    const { board, watch, check } = await start();
    const { seen } = watch('');
    await until(() => seen.length === 1);
    board.setServing(false);
    await check('');
    board.setServing(true);
    await until(() => seen.length === 2);
    board.setServing(true);
    await check('');
    expect(seen).toEqual(['NOT_SERVING', 'SERVING']);
  });

  it('stays open for an unknown service', async () => {
    const { board, watch, check } = await start();
    const { call, seen } = watch('no.such.Service');
    await until(() => seen.length === 1);
    board.setServing(true);
    await check('');
    expect(seen).toEqual(['SERVICE_UNKNOWN']);
    call.cancel();
  });

  it('ends with a status when the server stops', async () => {
    const { server, watch } = await start();
    const { seen, end } = watch('');
    await until(() => seen.length === 1);
    await server.stop({ graceMs: 10 });
    expect(rpcErrorOf(await within(end, 'the end'))).toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe('a request that is not a HealthCheckRequest', () => {
  it('is INVALID_ARGUMENT', async () => {
    const { client } = await start();
    const error = await new Promise((resolve) =>
      (client as Client).makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        () => Buffer.from([0x17]),
        (bytes) => bytes,
        {},
        resolve,
      ),
    );
    expect(rpcErrorOf(error)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      info: { reason: 'MALFORMED_REQUEST' },
    });
  });
});
