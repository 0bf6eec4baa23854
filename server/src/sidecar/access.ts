import { readFileSync } from 'node:fs';
import { ConfigError, readTokenFile, type SidecarConfig } from '../config/index.js';
import { type CallGate, OPEN_GATE, TokenGate } from '../grpc/calls/call-gate.js';
import { AdminCredential, type Token, TokenSet } from '../grpc/calls/credentials.js';
import type { GrpcServerOptions } from '../grpc/server.js';
import { TlsEndpoint, type TlsMaterial } from '../grpc/transport/tls-endpoint.js';
import type { CredentialKind, SecurityEvents } from '../observability/events.js';
import { filesAtRest } from './files-at-rest.js';
import { WatchedFiles } from './watched-files.js';

/**
 * The access rules of the configuration and its files, which are watched until stop(). A file that is not usable
 * at the start is an error. Later, the sidecar reports it and keeps the previous one.
 */
export class Access {
  readonly tls: TlsEndpoint | undefined;
  readonly gate: CallGate;
  readonly admin: AdminCredential;
  /** Whether operators have a credential at all. */
  readonly hasAdmin: boolean;
  /** Called when client tokens have changed, so that calls with a removed token can be ended. */
  onClientTokens: () => void = () => {};
  readonly #events: SecurityEvents;
  readonly #intervalMs: number;
  readonly #watched: WatchedFiles[] = [];

  /**
   * Reads the files once none of them is being written.
   *
   * @throws ConfigError that names the option and the mistake, without the content of the file
   */
  static async open(config: Pick<SidecarConfig, 'grpc' | 'admin'>, events: SecurityEvents): Promise<Access> {
    const files = credentialFiles(config);
    const changing = new Set(await filesAtRest(files.map(({ path }) => path)));
    const mistakes = files
      .filter(({ path }) => changing.has(path))
      .map(({ option, path }) => ({
        option,
        where: path,
        message: `${option} is a file that changes during each read: write a new file and rename it over this one`,
      }));
    if (mistakes.length > 0) throw new ConfigError(mistakes);
    return new Access(config, events);
  }

  private constructor({ grpc, admin }: Pick<SidecarConfig, 'grpc' | 'admin'>, events: SecurityEvents) {
    this.#events = events;
    this.#intervalMs = grpc.reloadInterval;
    this.tls = grpc.tlsCert === '' ? undefined : this.#createTls(grpc);
    this.gate = this.#createGate(grpc);
    this.hasAdmin = admin.token !== '' || admin.tokenFile !== '';
    this.admin = new AdminCredential(admin.token === '' ? [] : [admin.token], () =>
      events.refused('ADMIN_ONLY', {}),
    );
    if (admin.tokenFile !== '') {
      this.#useTokens('admin-tokens', 'admin.tokenFile', admin.tokenFile, (tokens) =>
        this.admin.replace(tokens.map(({ value }) => ({ value }))),
      );
    }
  }

  /** Called for rejected calls. */
  readonly onRefused: NonNullable<GrpcServerOptions['onRefused']> = (reason, { service, method }, peer) =>
    this.#events.refused(reason, { method: `${service}/${method}`, peer });

  /** Stops watching the files. */
  stop(): void {
    for (const files of this.#watched) files.stop();
  }

  #createTls(grpc: SidecarConfig['grpc']): TlsEndpoint {
    const files = [grpc.tlsCert, grpc.tlsKey, grpc.tlsClientCa].filter((path) => path !== '');
    let endpoint: TlsEndpoint | undefined;
    this.#use('tls', files, () => {
      const material = readMaterial(grpc);
      problemOf('grpc.tlsCert', grpc.tlsCert, () => {
        if (endpoint) endpoint.replace(material);
        else endpoint = new TlsEndpoint(material, { onFailure: this.#onHandshakeFailure });
      });
      return { expiresAtMs: endpoint!.validTo.getTime() };
    });
    return endpoint!;
  }

  #createGate(grpc: SidecarConfig['grpc']): CallGate {
    if (grpc.tokenFile === '' && grpc.tokens.length === 0) return OPEN_GATE;
    const set = new TokenSet(grpc.tokens.map((value) => ({ value })));
    if (grpc.tokenFile !== '') {
      this.#useTokens('client-tokens', 'grpc.tokenFile', grpc.tokenFile, (tokens) => {
        set.replace(tokens);
        this.onClientTokens();
      });
    }
    return new TokenGate(set);
  }

  readonly #onHandshakeFailure = (failure: string, peer: string, error: Error): void => {
    const { code } = error as NodeJS.ErrnoException;
    const why = typeof code === 'string' ? code : error.message;
    this.#events.refused(`TLS_${failure.toUpperCase().replaceAll('-', '_')}`, { peer, why });
  };

  #useTokens(
    kind: CredentialKind,
    option: string,
    path: string,
    take: (tokens: readonly Token[]) => void,
  ): void {
    this.#use(kind, [path], () => {
      const tokens = problemOf(option, path, () => readTokenFile(readFileSync(path, 'utf8')));
      take(tokens);
      return { count: tokens.length };
    });
  }

  /** Loads now, and again whenever a file changes. */
  #use(kind: CredentialKind, files: readonly string[], load: () => { expiresAtMs?: number; count?: number }) {
    // Starts watching first, so that a file that changes during the load is read again.
    const watched = new WatchedFiles(files, this.#intervalMs, () => {
      try {
        this.#events.loaded(kind, load());
      } catch (error) {
        this.#events.reloadFailed(kind, reasonOf(error));
      }
    });
    this.#watched.push(watched);
    try {
      this.#events.loaded(kind, load());
    } catch (error) {
      this.stop();
      throw error;
    }
  }
}

/** Every file with a credential, and its option. */
function credentialFiles({ grpc, admin }: Pick<SidecarConfig, 'grpc' | 'admin'>) {
  return [
    { option: 'grpc.tlsCert', path: grpc.tlsCert },
    { option: 'grpc.tlsKey', path: grpc.tlsKey },
    { option: 'grpc.tlsClientCa', path: grpc.tlsClientCa },
    { option: 'grpc.tokenFile', path: grpc.tokenFile },
    { option: 'admin.tokenFile', path: admin.tokenFile },
  ].filter(({ path }) => path !== '');
}

function readMaterial({ tlsCert, tlsKey, tlsClientCa }: SidecarConfig['grpc']): TlsMaterial {
  const certificate = problemOf('grpc.tlsCert', tlsCert, () => readFileSync(tlsCert));
  return {
    certificate,
    key: tlsKey === '' ? certificate : problemOf('grpc.tlsKey', tlsKey, () => readFileSync(tlsKey)),
    clientAuthorities:
      tlsClientCa === ''
        ? undefined
        : problemOf('grpc.tlsClientCa', tlsClientCa, () => readFileSync(tlsClientCa)),
  };
}

/** The message of a mistake itself, without the text around it, which is for the start. */
function reasonOf(error: unknown): Error {
  const [mistake] = error instanceof ConfigError ? error.mistakes : [];
  return mistake ? new Error(`${mistake.where}: ${mistake.message}`) : (error as Error);
}

function problemOf<T>(option: string, path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = code === undefined ? `is not usable: ${message}` : `is not readable: ${code}`;
    throw new ConfigError([{ option, where: path, message: `${option} ${problem}` }]);
  }
}
