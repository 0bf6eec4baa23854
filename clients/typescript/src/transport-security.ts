import {
  type ChannelCredentials,
  type ChannelOptions,
  credentials as grpcCredentials,
  InterceptingCall,
  type Interceptor,
  type Metadata,
  status,
} from '@grpc/grpc-js';
import { optionError } from './spread-error.js';

/** TLS options. All options are optional. Certificates and keys are in PEM, as text or bytes. */
export interface TlsOptions {
  /** Certificate authorities for the sidecar's certificate. Default: the authorities that Node trusts. */
  ca?: string | Buffer;
  /** The client certificate, if the sidecar requires one. Requires `key`. */
  cert?: string | Buffer;
  /** The private key of `cert`. */
  key?: string | Buffer;
  /** The expected name in the sidecar's certificate. Default: the host of the target. */
  serverName?: string;
}

/** A token, or a function that returns the token. The client calls the function before each call. */
export type TokenSource = string | (() => string | Promise<string>);

/** The security of a channel. */
export interface SecurityOptions {
  /**
   * TLS options. `true` enables TLS with the authorities that Node trusts and without a client certificate.
   * Default: no TLS.
   */
  tls?: TlsOptions | boolean;
  /**
   * The client token, sent with every call as `authorization: Bearer <token>`. A function is called before
   * each call, so that the token can change. If the sidecar revokes the token of a Receive stream, the client
   * gets a new token and attaches again, within the mailbox's lease. The client rejects a channel on which
   * others could read the token; see `insecure`.
   */
  token?: TokenSource;
  /**
   * Whether the client may send tokens to another machine without TLS, for example because a service mesh
   * adds TLS. Default: false.
   */
  insecure?: boolean;
  /** gRPC channel credentials, instead of `tls`. */
  credentials?: ChannelCredentials;
}

/** The security settings of a channel. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly channelOptions: ChannelOptions;
  readonly interceptors: Interceptor[];
  readonly hasTls: boolean;
  /** Whether the token is read again before each call. */
  readonly tokenMayChange: boolean;
  /** Throws if others could read a token on this channel. */
  checkTokenAllowed(field: string): void;
}

/**
 * @param isLocal - whether the target is on this machine
 * @throws {@link SpreadError} FIELD_INVALID: `tls` together with `credentials`, `tls.cert` without `tls.key`,
 * or a token that would be sent unencrypted
 */
export function channelSecurity(target: string, isLocal: boolean, options: SecurityOptions): ChannelSecurity {
  const { token, insecure = false } = options;
  const tls = options.tls === true ? {} : options.tls || undefined;
  if (tls && options.credentials)
    throw optionError(
      'tls',
      'not set together with credentials',
      'tls and credentials are both set; set only one of them',
    );
  if (tls && (tls.cert === undefined) !== (tls.key === undefined))
    throw optionError('tls', 'with both cert and key, or with neither', incompletePair(tls));
  const credentials = options.credentials ?? credentialsOf(tls);
  const isPrivate = insecure || isSecure(credentials) || isLocal;
  const checkTokenAllowed = (field: string) => {
    if (!isPrivate)
      throw optionError(
        field,
        'sent over TLS, a Unix socket or a loopback address, or with insecure: true',
        `${field} must not be sent to ${target} without TLS; use TLS, a Unix socket or a loopback address, or set insecure: true to allow this`,
      );
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

const incompletePair = ({ cert }: TlsOptions) =>
  cert === undefined
    ? 'tls.key is set without tls.cert; set both or neither'
    : 'tls.cert is set without tls.key; set both or neither';

function credentialsOf(tls: TlsOptions | undefined): ChannelCredentials {
  if (!tls) return grpcCredentials.createInsecure();
  const { ca, key, cert } = tls;
  return grpcCredentials.createSsl(bytesOf(ca), bytesOf(key), bytesOf(cert));
}

const bytesOf = (pem: string | Buffer | undefined) =>
  pem === undefined ? null : typeof pem === 'string' ? Buffer.from(pem) : pem;

const isSecure = (credentials: ChannelCredentials) => credentials._isSecure();

/** Sets the header unless the call already has one, for example an admin token. */
function tokenInterceptor(source: TokenSource): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        if (metadata.get('authorization').length > 0) return next(metadata, listener);
        // Asynchronous, because the caller of a new stream adds its listeners after the call returns.
        const fail = (details: string) =>
          queueMicrotask(() => listener.onReceiveStatus({ code: status.UNAUTHENTICATED, details, metadata }));
        const go = (token: string) => {
          if (setToken(metadata, token)) next(metadata, listener);
          else fail('the token must consist of 1 or more visible ASCII characters');
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
