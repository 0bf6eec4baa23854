import type { MailboxSnapshot } from '../mailbox-types.js';
import { MailboxError } from '../sidecar-error.js';

export interface ListOptions {
  /** 1 to 1000. 0 = 100. */
  readonly pageSize: number;
  /** nextPageToken of the previous page. Empty for the first page. */
  readonly pageToken: string;
}

export interface MailboxPage {
  readonly mailboxes: readonly MailboxSnapshot[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/** The listed mailboxes, in the order of the numbers of their display IDs. */
export interface Listed {
  /** m and a number. */
  readonly displayId: string;
  snapshot(): MailboxSnapshot;
}

const DEFAULT_PAGE_SIZE = 100;
const MAX_PAGE_SIZE = 1000;
/**
 * A page ends earlier if its mailboxes are in many groups, because clients accept 4 MiB by default. Unit: bytes.
 */
const MAX_PAGE_BYTES = 1024 * 1024;
/** Size of a mailbox without groups in a response, and of each group. */
const MAILBOX_BYTES = 512;
const GROUP_BYTES = 34;

/**
 * One page of mailboxes.
 *
 * @throws MailboxError LIMIT_OUT_OF_RANGE (page_size), FIELD_INVALID (page_token)
 */
export function pageOf(all: Iterable<Listed>, { pageSize, pageToken }: ListOptions): MailboxPage {
  if (!Number.isInteger(pageSize) || pageSize < 0 || pageSize > MAX_PAGE_SIZE) {
    const bound = `1 to ${MAX_PAGE_SIZE}, or 0 for the default ${DEFAULT_PAGE_SIZE}`;
    const message = `page_size is ${pageSize}; it must be ${bound}`;
    throw new MailboxError('LIMIT_OUT_OF_RANGE', message, { field: 'page_size', bound });
  }
  if (!/^(m\d{1,15})?$/.test(pageToken)) {
    const bound = 'next_page_token of an earlier response, or empty';
    throw new MailboxError('FIELD_INVALID', `page_token must be ${bound}`, { field: 'page_token', bound });
  }
  const after = Number(pageToken.slice(1));
  const size = pageSize || DEFAULT_PAGE_SIZE;
  const mailboxes: MailboxSnapshot[] = [];
  let bytes = 0;
  for (const mailbox of all) {
    if (Number(mailbox.displayId.slice(1)) <= after) continue;
    if (mailboxes.length === size || bytes >= MAX_PAGE_BYTES)
      return { mailboxes, nextPageToken: mailboxes.at(-1)!.displayId };
    const snapshot = mailbox.snapshot();
    bytes += MAILBOX_BYTES + GROUP_BYTES * snapshot.groups.length;
    mailboxes.push(snapshot);
  }
  return { mailboxes, nextPageToken: '' };
}
