import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

/** A service of a GrpcServer with its implementation. */
export interface ServiceRegistration {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
}
