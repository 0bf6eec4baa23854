import static java.nio.charset.StandardCharsets.UTF_8;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import io.opentelemetry.context.propagation.TextMapPropagator;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.util.HashMap;
import java.util.Map;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.NameConflict;
import org.spreadsidecar.client.OutgoingMessage;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadEvent;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadSidecar;

/** Sends a message as part of a trace, or continues the trace of a received message: tracing send|receive [target]. */
public final class ExampleTracing {
  private static final String GROUP = "orders";
  private static final Tracer TRACER = SdkTracerProvider.builder().build().get("example");
  private static final TextMapPropagator PROPAGATOR = W3CTraceContextPropagator.getInstance();

  /** Reads the headers of a message. */
  private static final TextMapGetter<Map<String, String>> GETTER =
      new TextMapGetter<>() {
        @Override
        public Iterable<String> keys(Map<String, String> headers) {
          return headers.keySet();
        }

        @Override
        public String get(Map<String, String> headers, String name) {
          return headers.get(name);
        }
      };

  private static void send(Mailbox mailbox) {
    Span span = TRACER.spanBuilder("place order").startSpan();
    Map<String, String> headers = new HashMap<>();
    PROPAGATOR.inject(Context.root().with(span), headers, Map::put);
    mailbox.multicast(OutgoingMessage.to(ServiceType.AGREED, GROUP, "one coffee".getBytes(UTF_8)).withHeaders(headers), null);
    System.out.printf("sent in %s%n", ids(span.getSpanContext()));
    span.end();
  }

  private static void receive(Mailbox mailbox) {
    mailbox.joinAndAwaitView(GROUP);
    System.out.println("ready");
    for (SpreadEvent event : mailbox)
      if (event instanceof RegularMessage message) {
        Context parent = PROPAGATOR.extract(Context.root(), message.headers(), GETTER);
        Span span =
            TRACER.spanBuilder("process order").setParent(parent).setSpanKind(SpanKind.CONSUMER).startSpan();
        String sender = Span.fromContext(parent).getSpanContext().getSpanId();
        System.out.printf("received in %s after %s%n", ids(span.getSpanContext()), sender);
        span.end();
        break;
      }
  }

  private static String ids(SpanContext context) {
    return context.getTraceId() + " " + context.getSpanId();
  }

  public static void main(String[] args) {
    String target = args.length > 1 ? args[1] : SidecarOptions.DEFAULT_TARGET;
    MailboxOptions options = new MailboxOptions().privateName(args[0]).onNameConflict(NameConflict.SUFFIX);
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
        Mailbox mailbox = sidecar.connect(options)) {
      if (args[0].equals("send")) send(mailbox);
      else receive(mailbox);
    }
  }
}
