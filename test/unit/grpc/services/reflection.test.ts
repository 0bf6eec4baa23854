import { Client, credentials, loadPackageDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GrpcServer } from '../../../../server/src/grpc/server.js';
import { reflection } from '../../../../server/src/grpc/services/reflection.js';
import { formatListenAddress } from '../../../../server/src/net/listen-address.js';
import { GRPC_BOUNDS } from '../../../support/sidecars/grpc-bounds.js';
import { rpcErrorOf } from '../../../support/sidecars/rpc-error.js';
import { within } from '../../../support/until.js';

const root = new URL('../../../..', import.meta.url).pathname;

interface Answer {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  allExtensionNumbersResponse?: { baseTypeName: string };
  errorResponse?: { errorCode: number };
}
interface ReflectionClient extends Client {
  serverReflectionInfo(): NodeJS.EventEmitter & { write(request: object): void; end(): void };
}

async function start(version: 'v1' | 'v1alpha', on = true) {
  const server = new GrpcServer({ services: on ? reflection() : [], bounds: GRPC_BOUNDS });
  const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
  const path = `${root}/node_modules/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`;
  const { grpc } = loadPackageDefinition(loadSync(path)) as never as {
    grpc: { reflection: Record<string, { ServerReflection: new (...args: unknown[]) => ReflectionClient }> };
  };
  const client = new grpc.reflection[version]!.ServerReflection(
    formatListenAddress(address!),
    credentials.createInsecure(),
  );
  onTestFinished(async () => {
    client.close();
    await server.stop({ graceMs: 0 });
  });
  return (request: object) => {
    const call = client.serverReflectionInfo();
    const answer = new Promise<Answer>((resolve, reject) => {
      call.once('data', resolve);
      call.once('error', (error: ServiceError) => reject(error));
    });
    call.write(request);
    call.end();
    return within(answer, 'the answer');
  };
}

describe.each(['v1', 'v1alpha'] as const)('reflection %s', (version) => {
  it('lists every service of the sidecar', async () => {
    const ask = await start(version);
    const { listServicesResponse } = await ask({ listServices: '*' });
    const names = listServicesResponse?.service.map(({ name }) => name);
    expect(names?.sort()).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'spread.sidecar.v1.MailboxService',
    ]);
  });

  it('returns descriptors from which a client can be built', async () => {
    const ask = await start(version);
    const { fileDescriptorResponse } = await ask({
      fileContainingSymbol: 'spread.sidecar.v1.MailboxService',
    });
    const files = fileDescriptorResponse!.fileDescriptorProto.map((bytes) =>
      descriptor.FileDescriptorProto.decode(bytes),
    );
    const built = (protobuf.Root as unknown as { fromDescriptor(set: object): protobuf.Root }).fromDescriptor(
      descriptor.FileDescriptorSet.create({ file: files as descriptor.IFileDescriptorProto[] }),
    );
    const methods = built
      .lookupService('spread.sidecar.v1.MailboxService')
      .methodsArray.map(({ name }) => name);
    expect(methods).toEqual(expect.arrayContaining(['Connect', 'MulticastStream', 'Receive', 'GetVersion']));
    expect(built.lookupType('spread.sidecar.v1.ConnectRequest').fields).toHaveProperty('lease');
  });

  it.each([
    { fileContainingSymbol: 'no.such.Thing' },
    { fileByFilename: 'no/such.proto' },
    { fileContainingExtension: { containingType: 'no.such.Thing', extensionNumber: 1 } },
    { fileContainingExtension: { containingType: 'spread.sidecar.v1.Event', extensionNumber: 1 } },
    { allExtensionNumbersOfType: 'no.such.Thing' },
  ])('responds NOT_FOUND to %j', async (request) => {
    const ask = await start(version);
    expect((await ask(request)).errorResponse?.errorCode).toBe(status.NOT_FOUND);
  });

  it('responds INVALID_ARGUMENT to an empty request', async () => {
    const ask = await start(version);
    expect((await ask({ host: 'example' })).errorResponse?.errorCode).toBe(status.INVALID_ARGUMENT);
  });

  it('returns no extension numbers for a message without extensions', async () => {
    const ask = await start(version);
    const { allExtensionNumbersResponse } = await ask({
      allExtensionNumbersOfType: 'spread.sidecar.v1.Event',
    });
    expect(allExtensionNumbersResponse).toMatchObject({ baseTypeName: 'spread.sidecar.v1.Event' });
  });

  it.each([
    'grpc.health.v1.Health',
    'grpc.health.v1.Health.Check',
    'grpc.health.v1.HealthListResponse.statuses',
    'grpc.health.v1.HealthListResponse.StatusesEntry',
    'grpc.health.v1.HealthCheckResponse.ServingStatus',
    'grpc.health.v1.HealthCheckResponse.SERVING',
  ])('finds the file of %s', async (symbol) => {
    const ask = await start(version);
    const { fileDescriptorResponse } = await ask({ fileContainingSymbol: symbol });
    const files = fileDescriptorResponse?.fileDescriptorProto.map(
      (bytes) => descriptor.FileDescriptorProto.decode(bytes) as unknown as { name: string },
    );
    expect(files?.map(({ name }) => name)).toEqual(['grpc/health/v1/health.proto']);
  });

  it('can be disabled', async () => {
    const ask = await start(version, false);
    const error = await ask({ listServices: '*' }).catch((reason: unknown) => reason);
    expect(rpcErrorOf(error).code).toBe(status.UNIMPLEMENTED);
  });
});

describe('reflection', () => {
  it('rejects bytes that are not a request', async () => {
    const server = new GrpcServer({ services: reflection(), bounds: GRPC_BOUNDS });
    const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
    const client = new Client(formatListenAddress(address!), credentials.createInsecure());
    onTestFinished(async () => {
      client.close();
      await server.stop({ graceMs: 0 });
    });
    const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
    const same = (bytes: Buffer) => bytes;
    const call = client.makeBidiStreamRequest(path, same, same);
    const failure = new Promise((resolve) => call.once('error', resolve));
    call.resume();
    // A host of 127 bytes, which are missing.
    call.write(Buffer.from([0x0a, 0x7f]));
    expect(rpcErrorOf(await within(failure, 'the failure')).code).toBe(status.INVALID_ARGUMENT);
  });

  it('limits the responses for a caller that does not read', async () => {
    const server = new GrpcServer({ services: reflection(), bounds: GRPC_BOUNDS });
    const [address] = await server.listen([{ kind: 'tcp', host: '127.0.0.1', port: 0 }]);
    const client = new Client(formatListenAddress(address!), credentials.createInsecure(), {
      'grpc-node.flow_control_window': 65_535,
    });
    onTestFinished(async () => {
      client.close();
      await server.stop({ graceMs: 0 });
    });
    let sent = 0;
    const call = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      // file_containing_symbol = 4
      (symbol: string) => Buffer.concat([Buffer.from([0x22, symbol.length]), Buffer.from(symbol)]),
      (bytes) => bytes.length,
    );
    call.on('error', () => {});
    call.pause();
    const before = process.memoryUsage().rss;
    // Each response has about 14 kB: a gigabyte in total.
    while (sent < 75_000) {
      sent++;
      if (!call.write('spread.sidecar.v1.MailboxService')) {
        const drained = await Promise.race([
          new Promise((resolve) => call.once('drain', () => resolve(true))),
          new Promise((resolve) => setTimeout(resolve, 300, false)),
        ]);
        if (!drained) break;
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    call.cancel();
  });
});
