import type { MulticastRequest, MulticastResponse } from 'spread-sidecar-proto';
import type { UnaryHandler } from '../calls/unary-call.js';
import { outgoingMessage } from '../codec/convert.js';
import { required } from '../codec/request-fields.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function multicast(context: ServiceContext): UnaryHandler<MulticastRequest, MulticastResponse> {
  return async ({ mailboxId, message }, call) => {
    const mailbox = mailboxOf(context, call, mailboxId);
    const outgoing = outgoingMessage(required(message, 'message'), context.headers);
    call.use.takeMessage();
    const bytesSent = await mailbox.multicast(outgoing, { signal: call.signal });
    return { bytesSent: bytesSent - (outgoing.envelopeBytes ?? 0) };
  };
}
