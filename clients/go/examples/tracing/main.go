// Sends a message as part of a trace, or continues the trace of a received message: tracing send|receive [target].
// This example is a module of its own, so that the client does not depend on OpenTelemetry.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	spreadsidecar "github.com/spread-sidecar/spread-sidecar/clients/go"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const group = "orders"

var (
	tracer     = sdk.NewTracerProvider().Tracer("example")
	propagator = propagation.TraceContext{}
)

func send(ctx context.Context, mailbox *spreadsidecar.Mailbox) error {
	ctx, span := tracer.Start(ctx, "place order")
	defer span.End()
	headers := map[string]string{}
	propagator.Inject(ctx, propagation.MapCarrier(headers))
	_, err := mailbox.Multicast(ctx, spreadsidecar.AgreedMess, group, []byte("one coffee"), 0, spreadsidecar.WithHeaders(headers))
	fmt.Println("sent in", span.SpanContext().TraceID(), span.SpanContext().SpanID())
	return err
}

func receive(ctx context.Context, mailbox *spreadsidecar.Mailbox) error {
	if _, err := mailbox.JoinAndAwaitView(ctx, group); err != nil {
		return err
	}
	fmt.Println("ready")
	for event, err := range mailbox.Events(ctx) {
		if err != nil {
			return err
		}
		message, ok := event.(*spreadsidecar.RegularMessage)
		if !ok {
			continue
		}
		parent := propagator.Extract(ctx, propagation.MapCarrier(message.Headers))
		_, span := tracer.Start(parent, "process order", trace.WithSpanKind(trace.SpanKindConsumer))
		own, sender := span.SpanContext(), trace.SpanContextFromContext(parent)
		fmt.Println("received in", own.TraceID(), own.SpanID(), "after", sender.SpanID())
		span.End()
		break
	}
	return nil
}

func run(ctx context.Context, command, target string) error {
	mailbox, err := spreadsidecar.Connect(ctx, spreadsidecar.Options{Target: target}, spreadsidecar.MailboxOptions{
		PrivateName:    command,
		OnNameConflict: spreadsidecar.SuffixOnConflict,
	})
	if err != nil {
		return err
	}
	defer mailbox.Close()
	if command == "send" {
		return send(ctx, mailbox)
	}
	return receive(ctx, mailbox)
}

func main() {
	target := spreadsidecar.DefaultTarget
	if len(os.Args) > 2 {
		target = os.Args[2]
	}
	if err := run(context.Background(), os.Args[1], target); err != nil {
		log.Fatal(err)
	}
}
