import { formatAddress, parseAddress, type SpreadAddress } from '../../spread/address.js';
import { MailboxError } from '../sidecar-error.js';

/** Which daemons a mailbox may have: a sidecar is no open proxy. */
export class DaemonDirectory {
  readonly #defaults: readonly SpreadAddress[];
  readonly #allowed: ReadonlySet<string>;

  /**
   * @param defaults the default daemon as spread names, at least one; the next is tried when one can't be reached
   * @param allowed further daemons that a client may name
   * @throws SpreadError ILLEGAL_SPREAD
   */
  constructor(defaults: readonly string[], allowed: readonly string[]) {
    this.#defaults = defaults.map((name) => parseAddress(name));
    this.#allowed = new Set([...this.#defaults, ...allowed.map((name) => parseAddress(name))].map(keyOf));
  }

  /** The default daemon, in the order in which they are to be tried. */
  get defaults(): readonly SpreadAddress[] {
    return this.#defaults;
  }

  /**
   * The daemons to be tried for a client that asks for this one; empty: the default.
   *
   * @throws SpreadError ILLEGAL_SPREAD; MailboxError DAEMON_NOT_ALLOWED
   */
  candidates(requested: string): readonly SpreadAddress[] {
    if (requested === '') return this.#defaults;
    const address = parseAddress(requested);
    if (this.#allowed.has(keyOf(address))) return [address];
    throw new MailboxError(
      'DAEMON_NOT_ALLOWED',
      `daemon ${formatAddress(address)} is neither a configured daemon of this sidecar nor on its allow-list`,
      { field: 'daemon' },
    );
  }
}

/** One key for all ways to write an address. Names are compared, not what they resolve to. */
function keyOf(address: SpreadAddress): string {
  return address.kind === 'unix' ? address.path : `${address.port}@${address.host.toLowerCase()}`;
}
