import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type handleBidiStreamingCall,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ReflectionService } from '@grpc/reflection';
import { Malformed } from './malformed.js';
import type { ServiceRegistration } from './service-registration.js';
import { malformedStatus } from './status.js';

const VERSIONS = ['v1', 'v1alpha'] as const;
const SERVICES = ['spread.sidecar.v1.MailboxService', 'grpc.health.v1.Health'];
const CONTRACT = 'spread/sidecar/v1/mailbox_service.proto';

const NOT_LOADED = { code: status.INTERNAL, details: 'the descriptors could not be loaded' };

const pathOf = (version: string) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;

/** What @grpc/reflection would serve, by path. */
type Loaded = ReadonlyMap<
  string,
  {
    readonly definition: MethodDefinition<unknown, unknown>;
    readonly implementation: handleBidiStreamingCall<unknown, unknown>;
  }
>;

/**
 * `grpc.reflection.v1` and `v1alpha` for the contract and the health service, so that tools such as grpcurl
 * need no .proto files.
 *
 * Loaded by the first call: the library, its parser and the descriptors cost 180 ms and 14 MiB, and most
 * sidecars are never asked.
 *
 * @param protoFolder the folder that holds `spread/sidecar/v1`
 * @throws when the contract's files are not there
 */
export function reflection(protoFolder: string): ServiceRegistration[] {
  const contract = join(protoFolder, CONTRACT);
  if (!existsSync(contract)) throw new Error(`the contract is not at ${contract}; reflection needs it`);
  let loading: Promise<Loaded> | undefined;
  const load = () => {
    loading ??= loadReflection(protoFolder);
    return loading;
  };
  return VERSIONS.map((version) => ({
    definition: { serverReflectionInfo: passThrough(pathOf(version)) } as unknown as ServiceDefinition,
    implementation: {
      serverReflectionInfo: (call: ServerDuplexStream<Buffer, Buffer>) => {
        void serve(call, pathOf(version), load).catch(() => call.emit('error', NOT_LOADED));
      },
    },
  }));
}

/** Messages stay bytes: what they mean is known only once the library is loaded. */
function passThrough(path: string): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer) => bytes;
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Puts the library's handler behind a stream of bytes, with the backpressure that it does not have. */
async function serve(
  call: ServerDuplexStream<Buffer, Buffer>,
  path: string,
  load: () => Promise<Loaded>,
): Promise<void> {
  const { definition, implementation } = (await load()).get(path)!;
  const stream = Object.assign(new EventEmitter(), {
    write: (answer: unknown) => {
      if (!call.write(definition.responseSerialize(answer))) call.pause();
    },
    end: () => call.end(),
  });
  implementation(stream as unknown as ServerDuplexStream<unknown, unknown>);
  call.on('drain', () => call.resume());
  call.on('data', (bytes: Buffer) => {
    let request: unknown;
    try {
      request = definition.requestDeserialize(bytes);
    } catch {
      call.emit('error', malformedStatus(new Malformed('it is not in the protobuf wire format')));
      return;
    }
    stream.emit('data', request);
  });
  call.once('end', () => stream.emit('end'));
}

async function loadReflection(protoFolder: string): Promise<Loaded> {
  const [{ loadSync }, library, health] = await Promise.all([
    import('@grpc/proto-loader'),
    import('@grpc/reflection'),
    import('grpc-health-check'),
  ]);
  const files = loadSync([join(protoFolder, CONTRACT), health.protoPath], {
    includeDirs: [protoFolder],
    keepCase: true,
  });
  const service = new library.ReflectionService(files, { services: SERVICES });
  const loaded = new Map();
  service.addToServer({
    addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation) {
      for (const [name, method] of Object.entries(definition)) {
        loaded.set(method.path, { definition: method, implementation: implementation[name] });
      }
    },
  } as Parameters<ReflectionService['addToServer']>[0]);
  return loaded;
}
