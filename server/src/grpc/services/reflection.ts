import type { MethodDefinition, ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { ServiceRegistration } from '../calls/service-registration.js';
import { Malformed } from '../codec/malformed.js';
import { malformedStatus } from '../codec/status.js';
import type { ReflectionAnswers, ReflectionStream } from './reflection-answers.js';

const VERSIONS = ['v1', 'v1alpha'] as const;
type Version = (typeof VERSIONS)[number];

const NOT_LOADED = { code: status.INTERNAL, details: 'the descriptors could not be loaded' };

const serviceOf = (version: Version) => `grpc.reflection.${version}.ServerReflection`;

/** Full names of all services of a sidecar, for list_services. */
const SERVICES = ['spread.sidecar.v1.MailboxService', 'grpc.health.v1.Health', ...VERSIONS.map(serviceOf)];

/**
 * `grpc.reflection.v1` and `v1alpha` for every service of the sidecar, so that tools such as grpcurl need no
 * .proto files.
 *  The first call loads the descriptors and their library, because most sidecars never get one.
 */
export function reflection(): ServiceRegistration[] {
  let loading: Promise<ReflectionAnswers> | undefined;
  const load = () => {
    loading ??= import('./reflection-answers.js').then((module) => new module.ReflectionAnswers(SERVICES));
    return loading;
  };
  return VERSIONS.map((version) => ({
    definition: { serverReflectionInfo: passThrough(version) } as unknown as ServiceDefinition,
    implementation: {
      serverReflectionInfo: (call: ServerDuplexStream<Buffer, Buffer>) => {
        load()
          .then((answers) => serve(call, answers.stream(version)))
          .catch(() => call.emit('error', NOT_LOADED));
      },
    },
  }));
}

/** Messages stay encoded, because the first call loads the library that decodes them. */
function passThrough(version: Version): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer) => bytes;
  return {
    path: `/${serviceOf(version)}/ServerReflectionInfo`,
    requestStream: true,
    responseStream: true,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Handles requests one after the other. Stops reading from a caller that does not read its responses. */
function serve(call: ServerDuplexStream<Buffer, Buffer>, answer: ReflectionStream): void {
  call.on('drain', () => call.resume());
  call.on('data', (request: Buffer) => {
    let response: Uint8Array;
    try {
      response = answer(request);
    } catch {
      call.emit('error', malformedStatus(new Malformed('it is not in the protobuf wire format')));
      return;
    }
    if (!call.write(Buffer.from(response))) call.pause();
  });
  call.once('end', () => call.end());
}
