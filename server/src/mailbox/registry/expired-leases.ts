import type { Mailbox } from '../mailbox.js';
import { MailboxError } from '../sidecar-error.js';

/** Expired ids that are remembered; the oldest are forgotten. */
const REMEMBERED = 1000;

/** Mailboxes whose lease has ended: who comes back too late learns why, if it opened the mailbox. */
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

  /** LEASE_EXPIRED, when that is known to be what became of this caller's mailbox. */
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
