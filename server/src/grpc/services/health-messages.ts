import { type BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { decodeOrMalformed, type Malformed } from '../codec/malformed.js';

/** HealthCheckResponse.ServingStatus. */
const SERVING_STATUS = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
export type ServingStatus = keyof typeof SERVING_STATUS;

export interface HealthCheckRequest {
  service: string;
}

const STRING_1 = (1 << 3) | 2;
const MESSAGE_2 = (2 << 3) | 2;
const VARINT_1 = 1 << 3;

function decodeCheckRequest(reader: BinaryReader): HealthCheckRequest {
  let service = '';
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === 2) service = reader.string();
    else reader.skip(wireType, field);
  }
  return { service };
}

/** HealthListRequest has no fields. */
function decodeListRequest(reader: BinaryReader): object {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    reader.skip(wireType, field);
  }
  return {};
}

function encodeCheckResponse(status: ServingStatus): Uint8Array {
  return new BinaryWriter().uint32(VARINT_1).int32(SERVING_STATUS[status]).finish();
}

/** HealthListResponse: map<string, HealthCheckResponse> statuses = 1. */
function encodeListResponse(statuses: ReadonlyMap<string, ServingStatus>): Uint8Array {
  const writer = new BinaryWriter();
  for (const [service, status] of statuses) {
    const entry = writer.uint32(STRING_1).fork();
    entry.uint32(STRING_1).string(service).uint32(MESSAGE_2).bytes(encodeCheckResponse(status));
    entry.join();
  }
  return writer.finish();
}

function method<Request, Response>(
  name: string,
  responseStream: boolean,
  decode: (reader: BinaryReader) => Request,
  encode: (response: Response) => Uint8Array,
): MethodDefinition<Request | Malformed, Response> {
  const servesOnly = () => {
    throw new Error('this definition is for servers');
  };
  return {
    path: `/grpc.health.v1.Health/${name}`,
    requestStream: false,
    responseStream,
    requestSerialize: servesOnly,
    requestDeserialize: (bytes) => decodeOrMalformed(decode, bytes),
    responseSerialize: (response) => Buffer.from(encode(response)),
    responseDeserialize: servesOnly,
  };
}

/**
 * `grpc.health.v1.Health` without its .proto file. Loading the file and its parser would cost 70 ms and 7 MiB at
 * every start, for three messages with one field each.
 */
export const HealthService = {
  check: method('Check', false, decodeCheckRequest, encodeCheckResponse),
  list: method('List', false, decodeListRequest, encodeListResponse),
  watch: method('Watch', true, decodeCheckRequest, encodeCheckResponse),
} satisfies ServiceDefinition;
