import type { GetMailboxRequest, GetMailboxResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { mailboxMessage } from '../codec/convert.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function getMailbox(context: ServiceContext): UnaryHandler<GetMailboxRequest, GetMailboxResponse> {
  return ({ mailboxId }, call) => ({
    mailbox: mailboxMessage(mailboxOf(context, call, mailboxId).snapshot()),
  });
}
