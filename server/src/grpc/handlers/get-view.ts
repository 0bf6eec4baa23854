import type { GetViewRequest, GetViewResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { viewMessage } from '../codec/event-message.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function getView(context: ServiceContext): UnaryHandler<GetViewRequest, GetViewResponse> {
  return ({ mailboxId, group }, call) => {
    const mailbox = mailboxOf(context, call, mailboxId);
    const { view, inTransition } = mailbox.view(group);
    return { view: viewMessage(view, mailbox.privateGroup), inTransition };
  };
}
