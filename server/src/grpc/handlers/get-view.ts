import type { GetViewRequest, GetViewResponse } from '../../gen/spread/sidecar/v1/mailbox_service.js';
import { viewMessage } from '../event-message.js';
import { mailboxOf, type ServiceContext } from '../service-context.js';
import type { UnaryHandler } from '../unary-call.js';

export function getView(context: ServiceContext): UnaryHandler<GetViewRequest, GetViewResponse> {
  return ({ mailboxId, group }, call) => {
    const mailbox = mailboxOf(context, call, mailboxId);
    const { view, inTransition } = mailbox.view(group);
    return { view: viewMessage(view, mailbox.privateGroup), inTransition };
  };
}
