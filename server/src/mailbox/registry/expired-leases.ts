import type { Mailbox } from '../mailbox.js';
import { MailboxError } from '../sidecar-error.js';

/** Number of remembered IDs. The oldest are forgotten. */
const REMEMBERED = 1000;

/** Mailboxes whose lease has expired, so that an owner who returns too late gets the reason. */
export class ExpiredLeases {
  readonly #byId = new Map<string, { readonly owner: string; readonly lastSequence: number }>();

  remember({ id, owner, lastSequence }: Pick<Mailbox, 'id' | 'owner' | 'lastSequence'>): void {
    this.#byId.set(id, { owner, lastSequence });
    if (this.#byId.size <= REMEMBERED) return;
    for (const [oldest] of this.#byId) {
      this.#byId.delete(oldest);
      break;
    }
  }

  /** LEASE_EXPIRED, if this caller's mailbox is known to have ended that way. */
  errorFor(id: string, caller: string): MailboxError | undefined {
    const expired = this.#byId.get(id);
    if (expired === undefined || expired.owner !== caller) return undefined;
    return new MailboxError(
      'LEASE_EXPIRED',
      'the mailbox has ended: its lease expired, or its client closed the connection that it depends on',
      { last_sequence: String(expired.lastSequence) },
    );
  }
}
