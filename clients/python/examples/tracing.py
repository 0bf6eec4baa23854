"""Sends a message as part of a trace, or continues the trace of a received message: python tracing.py send|receive [target]

Needs opentelemetry-api, and an SDK: here opentelemetry-sdk.
"""

import sys
from typing import Dict

from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider

from spread_sidecar import AGREED_MESS, Mailbox, RegularMessage, connect

tracer = TracerProvider().get_tracer("example")
GROUP = "orders"


def send(mailbox: Mailbox) -> None:
    with tracer.start_as_current_span("place order") as span:
        headers: Dict[str, str] = {}
        propagate.inject(headers)
        mailbox.multicast(AGREED_MESS, GROUP, "one coffee", headers=headers)
        show("sent in", span)


def receive(mailbox: Mailbox) -> None:
    mailbox.join(GROUP, await_view=True)
    print("ready", flush=True)
    for event in mailbox:
        if not isinstance(event, RegularMessage):
            continue
        parent = propagate.extract(event.headers)
        with tracer.start_as_current_span("process order", parent, kind=trace.SpanKind.CONSUMER) as span:
            show("received in", span, trace.get_current_span(parent))
        break


def show(what: str, span: trace.Span, *parents: trace.Span) -> None:
    own = span.get_span_context()
    after = [f"after {trace.format_span_id(parent.get_span_context().span_id)}" for parent in parents]
    print(what, trace.format_trace_id(own.trace_id), trace.format_span_id(own.span_id), *after)


def main(command: str, target: str) -> None:
    with connect(target=target, private_name=command, on_name_conflict="SUFFIX") as mailbox:
        {"send": send, "receive": receive}[command](mailbox)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:4813")
