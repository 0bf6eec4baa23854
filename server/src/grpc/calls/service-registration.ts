import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

/** A service and what answers it: one of those that a GrpcServer serves. */
export interface ServiceRegistration {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}
