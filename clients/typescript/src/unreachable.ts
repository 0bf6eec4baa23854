import { type ServiceError, status } from '@grpc/grpc-js';
import { NOT_A_SIDECAR, SIDECAR_UNREACHABLE } from './rules/failures.js';
import { SIDECAR_DOMAIN, SpreadError } from './spread-error.js';
import type { Target } from './target.js';

/** The properties of a channel that its errors depend on. */
export interface Endpoint {
  /** The target in error messages. */
  readonly name: string;
  readonly target: Target;
  readonly hasTls: boolean;
}

const PORTS = 'check that the port is the gRPC port (4813 by default), not the admin port (4814 by default)';
const CHECK = 'check that a sidecar listens there';

/**
 * Converts the error of a failed connection. Undefined for all other failures. Only the texts of grpc-js show
 * that a call had no connection. The conformance suite has a case for each text.
 */
export function connectionFailure(error: ServiceError, endpoint: Endpoint): SpreadError | undefined {
  if (error.code !== status.UNAVAILABLE) return undefined;
  const text = error.details ?? '';
  if (!/^(No connection established|Name resolution failed)/.test(text)) return undefined;
  const [cause, why] = explain(text, endpoint);
  return new SpreadError(`the sidecar at ${endpoint.name} cannot be reached: ${why}`, {
    status: status.UNAVAILABLE,
    reason: SIDECAR_UNREACHABLE,
    domain: SIDECAR_DOMAIN,
    metadata: { target: endpoint.name, cause },
    retryable: true,
    outcome: 'not-sent',
  });
}

/** The error of a call that the server does not implement. */
export function unknownCall({ name }: Endpoint, cause: ServiceError): SpreadError {
  const message = `the server at ${name} does not support this call; ${PORTS}; update the sidecar if it is older than this client`;
  return new SpreadError(message, {
    status: status.UNIMPLEMENTED,
    reason: NOT_A_SIDECAR,
    domain: SIDECAR_DOMAIN,
    metadata: { target: name },
    outcome: 'not-sent',
    cause,
  });
}

function explain(text: string, { target, hasTls }: Endpoint): [cause: string, why: string] {
  if (/^Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(text)) {
    const host = target.kind === 'tcp' ? target.host : target.path;
    return ['name-resolution', `the host name "${host}" cannot be resolved`];
  }
  const detail = lastError(text);
  if (/ECONNREFUSED/.test(detail)) return ['connection-refused', `connection refused; ${CHECK}`];
  if (/ENOENT/.test(detail)) return ['no-socket', `no such socket file; ${CHECK}`];
  if (/EACCES|EPERM/.test(detail)) return ['permission-denied', 'permission denied'];
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(detail)) return ['no-route', `${detail}; ${CHECK}`];
  if (!hasTls)
    return [
      'not-grpc',
      `the port does not accept gRPC without TLS; set the option tls if the sidecar uses TLS, and ${PORTS}`,
    ];
  if (/certificate|altnames|issuer|CERT_/i.test(detail) && !/alert/i.test(detail))
    return [
      'tls-certificate',
      `the client rejects the sidecar's certificate (${detail}); set the expected certificate authority or server name with the option tls`,
    ];
  if (/wrong version number|packet length too long|unsupported protocol|http request/i.test(detail))
    return [
      'tls-not-offered',
      `the port does not accept TLS; set the option tls only if the sidecar uses TLS, and ${PORTS}`,
    ];
  return ['other', detail];
}

/** The last connection error in a message of grpc-js. */
function lastError(text: string): string {
  const detail =
    /Last error: (.*?)(?: \(\d{4}-\d\d-\d\dT[^)]*\))?\. Resolution note:/s.exec(text)?.[1] ?? text;
  return detail.replace(/^Error: /, '').trim();
}
