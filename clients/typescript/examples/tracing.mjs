// Sends a message as part of a trace, or continues the trace of a received message:
// node tracing.mjs send|receive [target]. Needs @opentelemetry/api, and an SDK: here @opentelemetry/sdk-trace.
import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import { AGREED_MESS, connect } from 'spread-sidecar-client';

propagation.setGlobalPropagator(new W3CTraceContextPropagator());
const tracer = new TracerProvider().getTracer('example');
const GROUP = 'orders';

async function send(mailbox) {
  const span = tracer.startSpan('place order');
  const headers = {};
  propagation.inject(trace.setSpan(context.active(), span), headers);
  await mailbox.multicast(AGREED_MESS, GROUP, 'one coffee', 0, { headers });
  print('sent in', span);
  span.end();
}

async function receive(mailbox) {
  await mailbox.join(GROUP, { awaitView: true });
  console.log('ready');
  for await (const event of mailbox) {
    if (event.kind !== 'regular') continue;
    const parent = propagation.extract(ROOT_CONTEXT, event.headers);
    const span = tracer.startSpan('process order', { kind: SpanKind.CONSUMER }, parent);
    print('received in', span, trace.getSpanContext(parent));
    span.end();
    break;
  }
}

function print(what, span, parent) {
  const { traceId, spanId } = span.spanContext();
  console.log([what, traceId, spanId, ...(parent ? ['after', parent.spanId] : [])].join(' '));
}

const [command, target] = process.argv.slice(2);
const mailbox = await connect({ target, privateName: command, onNameConflict: 'SUFFIX' });
await (command === 'send' ? send : receive)(mailbox);
await mailbox.disconnect();
