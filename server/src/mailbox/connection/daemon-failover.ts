import { formatAddress, type SpreadAddress } from '../../spread/address.js';
import type { SessionOptions } from '../../spread/session-options.js';
import { SpreadError } from '../../spread/spread-error.js';
import type { SpreadCodeName } from '../../spread/wire/index.js';
import type { ConnectSession, MailboxSession } from './mailbox-session.js';
import { type NameConflictPolicy, privateNames } from './name-conflict.js';

export interface OpenSessionOptions {
  /** In the order of the attempts; at least one. */
  readonly candidates: readonly SpreadAddress[];
  readonly privateName: string;
  readonly onNameConflict: NameConflictPolicy;
  /** The options that all attempts share. */
  readonly session: Omit<SessionOptions, 'address' | 'privateName'>;
  readonly connect: ConnectSession;
  /** Called for every daemon that failed. */
  onFailed(daemon: string, error: Error): void;
}

export interface OpenedSession {
  readonly session: MailboxSession;
  /** The connected daemon, as a Spread name. */
  readonly daemon: string;
}

/**
 * With these errors a daemon may be down, and the next one is tried. A rejection is a response, so no other daemon
 * is tried.
 */
const UNREACHABLE: ReadonlySet<SpreadCodeName> = new Set<SpreadCodeName>([
  'COULD_NOT_CONNECT',
  'CONNECTION_CLOSED',
  // The Spread name was checked before, so the host cannot be resolved. In a cluster, that is a daemon that does not
  // run.
  'ILLEGAL_SPREAD',
]);

/**
 * Connects to the first reachable daemon of a list. Rejects with the daemon's SpreadError, or COULD_NOT_CONNECT.
 */
export async function openSession(options: OpenSessionOptions): Promise<OpenedSession> {
  const failures: SpreadError[] = [];
  for (const address of options.candidates) {
    const daemon = formatAddress(address);
    try {
      return { session: await connectAs(address, options), daemon };
    } catch (error) {
      options.onFailed(daemon, error as Error);
      if (!(error instanceof SpreadError) || !UNREACHABLE.has(error.code)) throw error;
      failures.push(error);
      if (options.session.signal?.aborted) break;
    }
  }
  if (failures.length === 1) throw failures[0];
  const what = failures.map((failure) => failure.message).join('; ');
  throw new SpreadError('COULD_NOT_CONNECT', `none of ${failures.length} daemons is reachable: ${what}`, {
    cause: new AggregateError(failures),
  });
}

async function connectAs(address: SpreadAddress, options: OpenSessionOptions): Promise<MailboxSession> {
  let nameConflict: unknown;
  for (const privateName of privateNames(options.privateName, options.onNameConflict)) {
    try {
      return await options.connect({ ...options.session, address, privateName });
    } catch (error) {
      if (!(error instanceof SpreadError) || error.code !== 'REJECT_NOT_UNIQUE') throw error;
      nameConflict = error;
    }
  }
  throw nameConflict;
}
