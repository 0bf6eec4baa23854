import { formatAddress, parseAddress, type SpreadAddress } from '../../spread/address.js';
import { MailboxError } from '../sidecar-error.js';

/** The daemons that a mailbox may use. The sidecar must not act as an open proxy. */
export class DaemonDirectory {
  readonly #defaults: readonly SpreadAddress[];
  readonly #allowed: ReadonlySet<string>;

  /**
   * @param defaults the default daemons as Spread names, at least one; the next one is tried when one cannot be
   * reached
   * @param allowed further daemons that a client may name
   * @throws SpreadError ILLEGAL_SPREAD
   */
  constructor(defaults: readonly string[], allowed: readonly string[]) {
    this.#defaults = defaults.map((name) => parseAddress(name));
    this.#allowed = new Set([...this.#defaults, ...allowed.map((name) => parseAddress(name))].map(keyOf));
  }

  /** The default daemons, in the order of the attempts. */
  get defaults(): readonly SpreadAddress[] {
    return this.#defaults;
  }

  /**
   * The daemons to try for a client that requests this one. Empty: the default.
   *
   * @throws SpreadError ILLEGAL_SPREAD; MailboxError DAEMON_NOT_ALLOWED
   */
  candidates(requested: string): readonly SpreadAddress[] {
    if (requested === '') return this.#defaults;
    const address = parseAddress(requested);
    if (this.#allowed.has(keyOf(address))) return [address];
    throw new MailboxError(
      'DAEMON_NOT_ALLOWED',
      `daemon ${formatAddress(address)} is not allowed: it is neither a default daemon of this sidecar nor in daemon.allow`,
      { field: 'daemon' },
    );
  }
}

/** One key for all notations of an address. Compares names without resolving them. */
function keyOf(address: SpreadAddress): string {
  return address.kind === 'unix' ? address.path : `${address.port}@${address.host.toLowerCase()}`;
}
