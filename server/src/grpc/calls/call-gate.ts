import type { Metadata } from '@grpc/grpc-js';
import { EdgeError } from '../codec/edge-error.js';
import type { ConnectionIdentity } from '../transport/sessions/connection-identity.js';
import type { TokenSet } from './credentials.js';
import type { MethodInfo } from './methods.js';

/** A call that is let in. */
export interface Admission {
  /** Who calls: the identity that a mailbox belongs to. */
  readonly caller: string;
  /** Digest of the token that it was let in with. */
  readonly credential?: Buffer;
}

/** Decides whether a call is let in, before its first message is read. */
export interface CallGate {
  /** Whether calls other than health's need a credential. */
  readonly needsCredential: boolean;
  /** @throws EdgeError CREDENTIAL_MISSING, CREDENTIAL_INVALID */
  admit(method: MethodInfo, metadata: Metadata, connection: ConnectionIdentity): Admission;
  /** Whether it would still be let in. */
  stillAdmits(admission: Admission): boolean;
}

/** Lets everybody in, as who the connection says. */
export const OPEN_GATE: CallGate = {
  needsCredential: false,
  admit: (_method, _metadata, connection) => ({ caller: connection }),
  stillAdmits: () => true,
};

/** Probes of orchestrators bring no token; what they learn is whether the sidecar serves. */
const WITHOUT_TOKEN: ReadonlySet<string> = new Set(['grpc.health.v1.Health']);

/** Wants the admin token, which its handler looks at. */
const isAdminCall = ({ service, method }: MethodInfo) =>
  service === 'spread.sidecar.v1.MailboxService' && method === 'ListMailboxes';

/** Wants a client token for every call but health's, on every kind of connection. */
export class TokenGate implements CallGate {
  readonly needsCredential = true;

  constructor(private readonly tokens: TokenSet) {}

  admit(method: MethodInfo, metadata: Metadata, connection: ConnectionIdentity): Admission {
    if (WITHOUT_TOKEN.has(method.service) || isAdminCall(method)) return { caller: connection };
    const presented = this.tokens.find(metadata);
    if (presented.kind === 'known') {
      const { identity, digest } = presented;
      // A client certificate counts too: a client with the token of another client, but without its key, is a different
      // client.
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
