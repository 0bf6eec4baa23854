import protobuf from 'protobufjs';

/** google.rpc, defined independently of the sidecar to check its output. */
const { root } = protobuf.parse(
  `syntax = "proto3";
   package google.rpc;
   message Any { string type_url = 1; bytes value = 2; }
   message Duration { int64 seconds = 1; int32 nanos = 2; }
   message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
   message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
   message RetryInfo { Duration retry_delay = 1; }`,
  { keepCase: true },
);

export interface RpcDetails {
  code: number;
  message: string;
  info: { reason: string; domain: string; metadata: Record<string, string> } | undefined;
  retryDelayMs: number | undefined;
}

/** Reads the trailer `grpc-status-details-bin`. */
export function readStatusDetails(trailer: Uint8Array): RpcDetails {
  const decoded = read('Status', trailer) as {
    code?: number;
    message?: string;
    details?: { type_url: string; value: Uint8Array }[];
  };
  const found = (type: string) =>
    decoded.details?.find((any) => any.type_url === `type.googleapis.com/google.rpc.${type}`)?.value;
  const info = found('ErrorInfo');
  const retry = found('RetryInfo');
  const {
    reason = '',
    domain = '',
    metadata = {},
  } = (info ? read('ErrorInfo', info) : {}) as Record<string, never>;
  const delay = retry
    ? (read('RetryInfo', retry) as { retry_delay: { seconds?: number; nanos?: number } }).retry_delay
    : undefined;
  return {
    code: decoded.code ?? 0,
    message: decoded.message ?? '',
    info: info ? { reason, domain, metadata } : undefined,
    retryDelayMs: delay ? Number(delay.seconds ?? 0) * 1000 + (delay.nanos ?? 0) / 1e6 : undefined,
  };
}

function read(type: string, bytes: Uint8Array): unknown {
  const found = root.lookupType(`google.rpc.${type}`);
  return found.toObject(found.decode(bytes), { longs: Number });
}
