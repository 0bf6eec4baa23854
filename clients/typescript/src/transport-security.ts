import {
  type ChannelCredentials,
  type ChannelOptions,
  credentials as grpcCredentials,
  InterceptingCall,
  type Interceptor,
  type Metadata,
  status,
} from '@grpc/grpc-js';
import { fieldError } from './spread-error.js';

/** TLS. Everything is optional. Certificates and keys are PEM, as text or bytes. */
export interface TlsOptions {
  /** Authorities that the sidecar's certificate may be of. Default: those of Node. */
  ca?: string | Buffer;
  /** This client's certificate, where the sidecar asks for one; with `key`. */
  cert?: string | Buffer;
  /** Its private key. */
  key?: string | Buffer;
  /** The name that the sidecar's certificate must be for. Default: the host of the target. */
  serverName?: string;
}

/** A token, or where to get it from before each call. */
export type TokenSource = string | (() => string | Promise<string>);

/** What says how a sidecar is talked to safely. */
export interface SecurityOptions {
  /** Default: no TLS. `true`: with Node's authorities and no certificate. */
  tls?: TlsOptions | boolean;
  /**
   * The client token, sent with every call as `authorization: Bearer <token>`. A function is asked before each call, so that
   * a token can change: a Receive whose token is withdrawn attaches again with what the function gives then, for as long
   * as the mailbox's lease. Never sent, and refused here, where others could read it; see `insecure`.
   */
  token?: TokenSource;
  /** Send tokens also without TLS to another machine, as where a mesh does the TLS. Default: false. */
  insecure?: boolean;
  /** Channel credentials of gRPC, instead of `tls`. */
  credentials?: ChannelCredentials;
}

/** What a channel needs for it. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
  readonly interceptors: Interceptor[];
  readonly hasTls: boolean;
  /** Whether the token is asked for again before each call. */
  readonly tokenMayChange: boolean;
  /** Throws where a token could be read on its way. */
  checkTokenAllowed(field: string): void;
}

/**
 * @param isLocal - no other machine sees what goes to the target
 * @throws {@link SpreadError} FIELD_INVALID: `tls` together with `credentials`, `tls.cert` without `tls.key`, a token that
 * would be sent in the clear
 */
export function channelSecurity(target: string, isLocal: boolean, options: SecurityOptions): ChannelSecurity {
  const { token, insecure = false } = options;
  const tls = options.tls === true ? {} : options.tls || undefined;
  if (tls && options.credentials) throw fieldError('tls', 'unset together with credentials', 'both');
  if (tls && (tls.cert === undefined) !== (tls.key === undefined))
    throw fieldError('tls', 'with both cert and key, or with neither', 'one of them');
  const credentials = options.credentials ?? credentialsOf(tls);
  const isPrivate = insecure || isSecure(credentials) || isLocal;
  const checkTokenAllowed = (field: string) => {
    if (!isPrivate)
      throw fieldError(field, 'sent over TLS, a Unix socket or loopback, or with insecure: true', target);
  };
  if (token !== undefined) checkTokenAllowed('token');
  return {
    credentials,
    channelOptions: tls?.serverName
      ? { 'grpc.ssl_target_name_override': tls.serverName, 'grpc.default_authority': tls.serverName }
      : {},
    interceptors: token === undefined ? [] : [tokenInterceptor(token)],
    hasTls: isSecure(credentials),
    tokenMayChange: typeof token === 'function',
    checkTokenAllowed,
  };
}

function credentialsOf(tls: TlsOptions | undefined): ChannelCredentials {
  if (!tls) return grpcCredentials.createInsecure();
  const { ca, key, cert } = tls;
  return grpcCredentials.createSsl(bytesOf(ca), bytesOf(key), bytesOf(cert));
}

const bytesOf = (pem: string | Buffer | undefined) =>
  pem === undefined ? null : typeof pem === 'string' ? Buffer.from(pem) : pem;

const isSecure = (credentials: ChannelCredentials) => credentials._isSecure();

/** Sets the header on each call that has none yet: an admin token given for one call stays. */
function tokenInterceptor(source: TokenSource): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        if (metadata.get('authorization').length > 0) return next(metadata, listener);
        // Not at once: whoever opens a stream listens to it only when it has it.
        const fail = (details: string) =>
          queueMicrotask(() => listener.onReceiveStatus({ code: status.UNAUTHENTICATED, details, metadata }));
        const go = (token: string) => {
          if (setToken(metadata, token)) next(metadata, listener);
          else fail('the token is no text that a header can carry');
        };
        let token: string | Promise<string>;
        try {
          token = typeof source === 'function' ? source() : source;
        } catch (error) {
          return fail(`the token is not available: ${(error as Error).message}`);
        }
        if (typeof token === 'string') return go(token);
        token.then(go, (error: Error) => fail(`the token is not available: ${error.message}`));
      },
    });
}

function setToken(metadata: Metadata, token: string): boolean {
  const trimmed = token.trim();
  if (!/^[\x21-\x7e]+$/.test(trimmed)) return false;
  metadata.set('authorization', `Bearer ${trimmed}`);
  return true;
}
