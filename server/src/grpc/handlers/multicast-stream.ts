import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import type { MulticastStreamRequest, MulticastStreamResponse } from 'spread-sidecar-proto';
import { observedCall } from '../calls/observed-call.js';
import { metadataReader } from '../calls/open-calls.js';
import type { Malformed } from '../codec/malformed.js';
import { tracedOutgoing } from '../codec/traced-message.js';
import { type IncomingFrame, MulticastSession, type SendingBounds } from './multicast-session.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function multicastStream(
  context: ServiceContext,
): handleBidiStreamingCall<MulticastStreamRequest | Malformed, MulticastStreamResponse> {
  const { headers, tracing, limits } = context;
  return (call) => {
    const observed = observedCall(call.metadata);
    observed.readOneAtATime();
    let trace: SendingBounds['trace'];
    const bounds: SendingBounds = {
      headers,
      maxBatchMessages: limits.maxBatchMessages,
      spendMessages: (count) => observed.use.spendMessages(count),
      get trace() {
        return trace;
      },
    };
    const open = (mailboxId: string) => {
      const mailbox = mailboxOf(context, observed, mailboxId, 'open.mailbox_id');
      if (tracing !== undefined) {
        const parent = tracing.contextOf(metadataReader(call.metadata));
        trace = (message, batchMessages) =>
          tracedOutgoing(message, { tracing, headers, mailbox, parent }, batchMessages);
      }
      return mailbox;
    };
    const session = new MulticastSession(call, context.failures, open, observed, bounds);
    call.on('data', (frame: IncomingFrame) => session.onFrame(frame));
    call.once('end', () => session.onHalfClose());
    call.once('cancelled', () => session.cancel());
  };
}
