import type { MulticastMessage, MulticastRequest, MulticastResponse } from 'spread-sidecar-proto';
import type { Mailbox } from '../../mailbox/mailbox.js';
import type { CallFacts, UnaryHandler } from '../calls/unary-call.js';
import { outgoingMessage } from '../codec/convert.js';
import { required } from '../codec/request-fields.js';
import { tracedOutgoing } from '../codec/traced-message.js';
import type { Tracing } from '../codec/tracing.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function multicast(context: ServiceContext): UnaryHandler<MulticastRequest, MulticastResponse> {
  const { headers, tracing } = context;
  return async ({ mailboxId, message: given }, call) => {
    const mailbox = mailboxOf(context, call, mailboxId);
    const message = required(given, 'message');
    if (tracing !== undefined) return await sendTraced(tracing, mailbox, message, call);
    const outgoing = outgoingMessage(message, headers);
    call.use.takeMessage();
    const bytesSent = await mailbox.multicast(outgoing, { signal: call.signal });
    return { bytesSent: bytesSent - (outgoing.envelopeBytes ?? 0) };
  };

  async function sendTraced(
    spans: Tracing,
    mailbox: Mailbox,
    message: MulticastMessage,
    call: CallFacts,
  ): Promise<MulticastResponse> {
    const parent = call.span?.context ?? spans.contextOf(() => undefined);
    const { outgoing, span } = tracedOutgoing(message, { tracing: spans, headers, mailbox, parent }, 1);
    try {
      call.use.takeMessage();
      const bytesSent = await mailbox.multicast(outgoing, { signal: call.signal });
      span.end();
      return { bytesSent: bytesSent - (outgoing.envelopeBytes ?? 0) };
    } catch (error) {
      span.end(error);
      throw error;
    }
  }
}
