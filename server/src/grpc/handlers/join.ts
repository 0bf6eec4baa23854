import type { JoinRequest, JoinResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { viewMessage } from '../codec/event-message.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function join(context: ServiceContext): UnaryHandler<JoinRequest, JoinResponse> {
  return async ({ mailboxId, group, awaitView }, call) => {
    const mailbox = mailboxOf(context, call, mailboxId);
    const view = await mailbox.join(group, { awaitView, signal: call.signal });
    return { view: view && viewMessage(view, mailbox.privateGroup) };
  };
}
