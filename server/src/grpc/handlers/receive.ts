import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { Acknowledgement, type ReceiveRequest } from 'spread-sidecar-proto';
import type { AttachInfo } from '../../mailbox/queue/receiver.js';
import { observedCall } from '../calls/observed-call.js';
import { Malformed } from '../codec/malformed.js';
import { frameOf, type ReceiveFrame } from '../codec/receive-frames.js';
import { countOf, millisecondsOf } from '../codec/request-fields.js';
import { malformedError, statusError } from '../codec/status.js';
import { traceDelivery } from '../codec/traced-message.js';
import { ReceiveStream } from './receive-stream.js';
import { mailboxOf, type ServiceContext } from './service-context.js';

type Call = ServerWritableStream<ReceiveRequest | Malformed, ReceiveFrame>;

/** Largest heartbeat_interval in the contract. */
const HEARTBEAT_MAX_MS = 3_600_000;

export function receive(
  context: ServiceContext,
): handleServerStreamingCall<ReceiveRequest | Malformed, ReceiveFrame> {
  return (call) => {
    try {
      begin(context, call);
    } catch (error) {
      call.emit('error', statusError(context.failures.of(error)));
    }
  };
}

function begin(context: ServiceContext, call: Call): void {
  const { request } = call;
  if (request instanceof Malformed) throw malformedError(request);
  const observed = observedCall(call.metadata);
  const mailbox = mailboxOf(context, observed, request.mailboxId);
  const { heartbeatMinMs, heartbeatDefaultMs } = context.limits;
  const heartbeatMs =
    millisecondsOf(request.heartbeatInterval, 'heartbeat_interval', heartbeatMinMs, HEARTBEAT_MAX_MS) ??
    heartbeatDefaultMs;
  const { tracing } = context;
  const stream = new ReceiveStream(
    call,
    context.limits,
    heartbeatMs,
    () => observed.abandon(),
    context.telemetry,
    tracing && ((batch) => traceDelivery(tracing, batch, mailbox.privateGroup)),
  );
  const attachment = mailbox.attach(
    {
      afterSequence: request.afterSequence === undefined ? undefined : countOf(request.afterSequence),
      maxOutstandingEvents: countOf(request.maxOutstandingEvents),
      maxOutstandingBytes: countOf(request.maxOutstandingBytes),
    },
    stream,
  );
  call.once('cancelled', () => stream.cancel());
  observed.onFinished(() => stream.finished());
  stream.begin(attachment, attachedFrame(attachment.info));
}

function attachedFrame(info: AttachInfo): ReceiveFrame {
  return frameOf({
    $case: 'attached',
    value: {
      nextSequence: BigInt(info.nextSequence),
      oldestRetainedSequence: BigInt(info.oldestRetainedSequence),
      lastSequence: BigInt(info.lastSequence),
      privateGroup: info.privateGroup,
      groups: [...info.groups],
      acknowledgement: Acknowledgement[info.acknowledgement],
      acknowledgedSequence: BigInt(info.acknowledgedSequence),
    },
  });
}
