import { join } from 'node:path';
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { protoPath as healthProtoPath } from 'grpc-health-check';
import { MailboxServiceService } from '../gen/spread/sidecar/v1/mailbox_service.js';
import type { ServiceRegistration } from './service-registration.js';

const CONTRACT = 'spread/sidecar/v1/mailbox_service.proto';

/**
 * `grpc.reflection.v1` and `v1alpha` for the contract and the health service, so that tools such as grpcurl
 * need no .proto files.
 *
 * @param protoFolder the folder that holds `spread/sidecar/v1`
 * @throws when the contract's files are not there
 */
export function reflection(protoFolder: string): ServiceRegistration[] {
  const files = loadSync([join(protoFolder, CONTRACT), healthProtoPath], {
    includeDirs: [protoFolder],
    keepCase: true,
  });
  const service = new ReflectionService(files, { services: [contractName(), 'grpc.health.v1.Health'] });
  const registrations: ServiceRegistration[] = [];
  service.addToServer({
    addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation) {
      registrations.push({ definition, implementation });
    },
  } as Parameters<ReflectionService['addToServer']>[0]);
  return registrations;
}

function contractName(): string {
  return MailboxServiceService.connect.path.split('/')[1]!;
}
