import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

const same = (bytes: Buffer) => bytes;

function method(path: string, isStream: boolean): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Methods whose messages are bytes. */
export const RAW_METHODS = {
  relay: method('/bench.Raw/Relay', true),
  echo: method('/bench.Raw/Echo', false),
} satisfies ServiceDefinition;
