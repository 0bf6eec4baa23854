import type { handleBidiStreamingCall } from '@grpc/grpc-js';
import type { MulticastStreamRequest, MulticastStreamResponse } from 'spread-sidecar-proto';
import { observedCall } from '../calls/observed-call.js';
import type { Malformed } from '../codec/malformed.js';
import { type IncomingFrame, MulticastSession } from './multicast-session.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

export function multicastStream(
  context: ServiceContext,
): handleBidiStreamingCall<MulticastStreamRequest | Malformed, MulticastStreamResponse> {
  return (call) => {
    const observed = observedCall(call.metadata);
    observed.readOneAtATime();
    const session = new MulticastSession(
      call,
      context.failures,
      (mailboxId) => mailboxOf(context, observed, mailboxId, 'open.mailbox_id'),
      observed,
      {
        headers: context.headers,
        maxBatchMessages: context.limits.maxBatchMessages,
        spendMessages: (count) => observed.use.spendMessages(count),
      },
    );
    call.on('data', (frame: IncomingFrame) => session.onFrame(frame));
    call.once('end', () => session.onHalfClose());
    call.once('cancelled', () => session.cancel());
  };
}
