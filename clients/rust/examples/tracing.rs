//! Sends a message as part of a trace, or continues the trace of a received message: tracing send|receive [target]

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanContext, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use spread_sidecar::{Event, Mailbox, MailboxOptions, NameConflict, OutgoingMessage, Service, SpreadError, connect};

const GROUP: &str = "orders";

fn ids(context: &SpanContext) -> String {
    format!("{} {}", context.trace_id(), context.span_id())
}

async fn send(mailbox: &Mailbox, tracer: &SdkTracer) -> Result<(), SpreadError> {
    let context = Context::new().with_span(tracer.start("place order"));
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    let message = OutgoingMessage::new(Service::AGREED_MESS, [GROUP], "one coffee").headers(headers);
    mailbox.multicast_message(message).await?;
    println!("sent in {}", ids(context.span().span_context()));
    Ok(())
}

async fn receive(mailbox: &Mailbox, tracer: &SdkTracer) -> Result<(), SpreadError> {
    mailbox.join_and_await_view(GROUP).await?;
    println!("ready");
    loop {
        let Event::Regular(message) = mailbox.receive().await? else { continue };
        let headers: HashMap<String, String> = message.headers.into_iter().collect();
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
        let mut span =
            tracer.span_builder("process order").with_kind(SpanKind::Consumer).start_with_context(tracer, &parent);
        let sender = parent.span().span_context().span_id();
        println!("received in {} after {sender}", ids(span.span_context()));
        span.end();
        return Ok(());
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), SpreadError> {
    let command = std::env::args().nth(1).unwrap_or_default();
    let target = std::env::args().nth(2).unwrap_or_else(|| spread_sidecar::DEFAULT_TARGET.to_owned());
    let tracer = SdkTracerProvider::builder().build().tracer("example");
    let options = MailboxOptions::named(&command).on_name_conflict(NameConflict::Suffix);
    let mailbox = connect(target, options).await?;
    if command == "send" {
        send(&mailbox, &tracer).await?
    } else {
        receive(&mailbox, &tracer).await?
    }
    mailbox.disconnect().await?;
    Ok(())
}
