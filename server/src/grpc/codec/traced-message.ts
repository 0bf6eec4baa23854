import { EventBatch, type MulticastMessage } from 'spread-sidecar-proto';
import { HEADER_BLOCK_AT, HEADER_OVERHEAD, type Headers, MAX_HEADER_BLOCK } from '../../envelope/envelope.js';
import type { OutgoingMessage } from '../../mailbox/mailbox-types.js';
import type { Batch } from '../../mailbox/queue/receiver.js';
import { outgoingMessage } from './convert.js';
import type { HeaderMode } from './message-headers.js';
import type { DeliveredMessage, DeliverySpan, SendSpan, TraceContext, Tracing } from './tracing.js';

/** Spread's limit counts this number of bytes for each group. */
const BYTES_PER_GROUP = 32;

/** The mailbox of traced messages. */
export interface TracedMailbox {
  readonly privateGroup: string;
  readonly limits: { readonly maxMessageBytes: number };
}

/** Starts the spans of messages that a call sends. */
export interface SendTrace {
  readonly tracing: Tracing;
  readonly headers: HeaderMode;
  readonly mailbox: TracedMailbox;
  /** The parent of messages without a trace in their headers. */
  readonly parent: TraceContext;
}

/** A message with its span, which the caller must end. */
export interface TracedOutgoing {
  readonly outgoing: OutgoingMessage;
  readonly span: SendSpan;
}

/**
 * Converts a message like outgoingMessage(), and adds the span's trace to its headers. If the message would exceed a
 * limit with the trace, the sidecar sends it without.
 *
 * @throws the errors of outgoingMessage(), after the end of the span
 */
export function tracedOutgoing(
  message: MulticastMessage,
  trace: SendTrace,
  batchMessages: number,
): TracedOutgoing {
  const { groups, headers, payload } = message;
  const { mailbox } = trace;
  const span = trace.tracing.startSend(
    { groups, headers, bodyBytes: payload.length, mailbox: mailbox.privateGroup, batchMessages },
    trace.parent,
  );
  try {
    const room = mailbox.limits.maxMessageBytes - BYTES_PER_GROUP * groups.length - payload.length;
    const isTraced = trace.headers === 'on' && fits(span.headers, room);
    const sent = isTraced ? { ...message, headers: new Map(span.headers) } : message;
    return { outgoing: outgoingMessage(sent, trace.headers), span };
  } catch (error) {
    span.end(error);
    throw error;
  }
}

function fits(headers: Headers, room: number): boolean {
  let block = 0;
  for (const [name, value] of headers) block += HEADER_OVERHEAD + name.length + Buffer.byteLength(value);
  return block <= MAX_HEADER_BLOCK && HEADER_BLOCK_AT + block <= room;
}

/**
 * Starts a span for each message in a batch.
 *
 * @param batch not yet released
 * @returns ends the spans. Its work belongs to the first one
 */
export function traceDelivery(tracing: Tracing, batch: Batch, mailbox: string): DeliverySpan {
  const messages = messagesOf(batch, mailbox);
  const spans = messages.map((message) => tracing.startReceive(message));
  const [first] = spans;
  return {
    run: (work) => (first === undefined ? work() : first.run(work)),
    end: (error) => {
      for (const span of spans.splice(0)) span.end(error);
    },
  };
}

function messagesOf(batch: Batch, mailbox: string): DeliveredMessage[] {
  const batchMessages = batch.lastSequence - batch.firstSequence + 1;
  // Each buffer has complete events.
  return batch.buffers.flatMap((buffer) =>
    EventBatch.decode(buffer).events.flatMap(({ kind, receivedAt }) => {
      if (kind?.$case !== 'regularMessage') return [];
      const { groups, headers, payload, sender } = kind.value;
      const receivedAtMs = Number(receivedAt?.seconds ?? 0n) * 1000 + (receivedAt?.nanos ?? 0) / 1e6;
      return [{ groups, headers, bodyBytes: payload.length, mailbox, batchMessages, sender, receivedAtMs }];
    }),
  );
}
