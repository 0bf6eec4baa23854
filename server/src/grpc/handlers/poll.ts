import type { PollRequest, PollResponse } from '../../gen/spread/sidecar/v1/mailbox_service.js';
import { MailboxState } from '../../gen/spread/sidecar/v1/types.js';
import type { UnaryHandler } from '../calls/unary-call.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function poll(context: ServiceContext): UnaryHandler<PollRequest, PollResponse> {
  return ({ mailboxId }, call) => {
    const { waitingEvents, waitingBytes, state } = mailboxOf(context, call, mailboxId).poll();
    return {
      waitingEvents: BigInt(waitingEvents),
      waitingBytes: BigInt(waitingBytes),
      state: MailboxState[state],
    };
  };
}
