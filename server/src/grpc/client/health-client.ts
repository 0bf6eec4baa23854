import { BinaryReader } from '@bufbuild/protobuf/wire';
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  type ServiceError,
} from '@grpc/grpc-js';

/** The server to check, and the connection to it. */
export interface HealthQuestion {
  /** `host:port` or `unix:/path`. */
  readonly target: string;
  /** Default: no TLS. */
  readonly credentials?: ChannelCredentials | undefined;
  readonly channelOptions?: ChannelOptions | undefined;
  /** Unit: ms. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const SERVING = 1;

/**
 * Calls `grpc.health.v1.Health/Check` for the whole server. Needs no token.
 *
 * @returns whether the server responds with SERVING
 * @throws ServiceError of gRPC
 */
export async function askHealth(question: HealthQuestion): Promise<boolean> {
  const client = new Client(question.target, question.credentials ?? credentials.createInsecure(), {
    'grpc.enable_channelz': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    ...question.channelOptions,
  });
  let cancel = () => {};
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        '/grpc.health.v1.Health/Check',
        () => Buffer.alloc(0),
        statusOf,
        {},
        { deadline: Date.now() + question.timeoutMs },
        (error: ServiceError | null, status) => (error ? reject(error) : resolve(status === SERVING)),
      );
      cancel = () => call.cancel();
      if (question.signal.aborted) cancel();
      else question.signal.addEventListener('abort', cancel, { once: true });
    });
  } finally {
    question.signal.removeEventListener('abort', cancel);
    client.close();
  }
}

/** HealthCheckResponse: `ServingStatus status = 1`. */
function statusOf(bytes: Buffer): number {
  const reader = new BinaryReader(bytes);
  let status = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === 0) status = reader.int32();
    else reader.skip(wireType, field);
  }
  return status;
}
