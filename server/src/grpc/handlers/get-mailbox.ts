import type { GetMailboxRequest, GetMailboxResponse } from '../../gen/spread/sidecar/v1/mailbox_service.js';
import { mailboxMessage } from '../convert.js';
import { mailboxOf, type ServiceContext } from '../service-context.js';
import type { UnaryHandler } from '../unary-call.js';

export function getMailbox(context: ServiceContext): UnaryHandler<GetMailboxRequest, GetMailboxResponse> {
  return ({ mailboxId }, call) => ({
    mailbox: mailboxMessage(mailboxOf(context, call, mailboxId).snapshot()),
  });
}
