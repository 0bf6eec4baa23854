import { MailboxState, type PollRequest, type PollResponse } from 'spread-sidecar-proto';
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
