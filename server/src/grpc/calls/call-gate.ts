import type { Metadata } from '@grpc/grpc-js';
import { EdgeError } from '../codec/edge-error.js';
import type { ConnectionIdentity } from '../transport/sessions/connection-identity.js';
import type { TokenSet } from './credentials.js';
import type { MethodInfo } from './methods.js';

/** An accepted call. */
export interface Admission {
  /** The caller: the identity that owns mailboxes. */
  readonly caller: string;
  /** Digest of the token that the call was accepted with. */
  readonly credential?: Buffer;
}

/** Decides whether a call is accepted, before its first message is read. */
export interface CallGate {
  /** Whether calls other than those of health need a credential. */
  readonly needsCredential: boolean;
  /** @throws EdgeError CREDENTIAL_MISSING, CREDENTIAL_INVALID */
  admit(method: MethodInfo, metadata: Metadata, connection: ConnectionIdentity): Admission;
  /** Whether the call would still be accepted. */
  stillAdmits(admission: Admission): boolean;
}

/** Accepts every call, with the identity of its connection. */
export const OPEN_GATE: CallGate = {
  needsCredential: false,
  admit: (_method, _metadata, connection) => ({ caller: connection }),
  stillAdmits: () => true,
};

/** Probes of orchestrators have no token. They learn only whether the sidecar serves. */
const WITHOUT_TOKEN: ReadonlySet<string> = new Set(['grpc.health.v1.Health']);

/** Requires the admin token. The handler checks it. */
const isAdminCall = ({ service, method }: MethodInfo) =>
  service === 'spread.sidecar.v1.MailboxService' && method === 'ListMailboxes';

/** Requires a client token for every call except those of health, on every kind of connection. */
export class TokenGate implements CallGate {
  readonly needsCredential = true;

  constructor(private readonly tokens: TokenSet) {}

  admit(method: MethodInfo, metadata: Metadata, connection: ConnectionIdentity): Admission {
    if (WITHOUT_TOKEN.has(method.service) || isAdminCall(method)) return { caller: connection };
    const presented = this.tokens.find(metadata);
    if (presented.kind === 'known') {
      const { identity, digest } = presented;
      // The identity includes a client certificate: the same token without the certificate's key is a different client.
      const caller = connection.startsWith('certificate:') ? `${connection} ${identity}` : identity;
      return { caller, credential: digest };
    }
    const metadataField = { field: 'authorization' };
    if (presented.kind === 'missing') {
      throw new EdgeError(
        'CREDENTIAL_MISSING',
        'this sidecar requires a client token (authorization: Bearer <token>)',
        metadataField,
      );
    }
    throw new EdgeError('CREDENTIAL_INVALID', 'this sidecar does not accept the client token', metadataField);
  }

  stillAdmits({ credential }: Admission): boolean {
    return credential === undefined || this.tokens.has(credential);
  }
}
