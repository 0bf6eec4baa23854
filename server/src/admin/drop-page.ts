import type { IncomingMessage } from 'node:http';
import { type Answer, TEXT } from './answer.js';
import { type PageAccess, refusal } from './page-access.js';

/** Who may cut a mailbox's connection to its daemon over HTTP, for tests of failure, and how. */
export interface DropPage extends PageAccess {
  /** Cuts it as if the daemon had, for the mailbox with this id, display id or private group. */
  drop(mailbox: string): 'dropped' | 'unknown' | 'not-connected';
}

const ANSWERS = {
  dropped: { status: 204, type: TEXT, body: '' },
  unknown: { status: 404, type: TEXT, body: 'the mailbox does not exist or has ended\n' },
  'not-connected': {
    status: 409,
    type: TEXT,
    body: 'the mailbox currently has no connection to its daemon\n',
  },
} as const satisfies Record<ReturnType<DropPage['drop']>, Answer>;

/** `POST /drop-mailbox?mailbox=…`. */
export function dropAnswer(page: DropPage, request: IncomingMessage, query: string): Answer {
  const refused = refusal(page, request);
  if (refused) return refused;
  const named = new URLSearchParams(query).getAll('mailbox');
  const [mailbox] = named;
  if (named.length !== 1 || !mailbox) {
    const body =
      'set the parameter mailbox exactly once, to the ID, the display ID or the private group of a mailbox\n';
    return { status: 400, type: TEXT, body };
  }
  return ANSWERS[page.drop(mailbox)];
}
