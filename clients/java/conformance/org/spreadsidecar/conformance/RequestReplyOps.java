package org.spreadsidecar.conformance;

import static org.spreadsidecar.conformance.Protocol.number;
import static org.spreadsidecar.conformance.Protocol.ordered;
import static org.spreadsidecar.conformance.Protocol.text;

import com.google.gson.JsonObject;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.spreadsidecar.client.HandlerReply;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.Replies;
import org.spreadsidecar.client.RequestHandler;
import org.spreadsidecar.client.RequestOptions;
import org.spreadsidecar.client.RequestReply;
import org.spreadsidecar.client.RequestReplyOptions;
import org.spreadsidecar.client.RequestService;
import org.spreadsidecar.client.ServeOptions;
import org.spreadsidecar.client.SpreadSidecar;
import org.spreadsidecar.conformance.Protocol.DriverException;
import org.spreadsidecar.conformance.Protocol.Op;

/** The operations of the driver on requests and replies. */
final class RequestReplyOps {
  private record OpenCalls(RequestReply calls, Map<String, RequestService> services) {}

  private final Map<String, OpenCalls> open = new ConcurrentHashMap<>();

  private RequestReplyOps() {}

  static void add(Map<String, Op> ops, Function<JsonObject, SpreadSidecar> sidecarOf) {
    RequestReplyOps of = new RequestReplyOps();
    ops.put(
        "openRequestReply",
        args -> {
          MailboxOptions mailbox = new MailboxOptions().privateName(text(args, "privateName", ""));
          RequestReply calls = sidecarOf.apply(args).openRequestReply(new RequestReplyOptions().mailbox(mailbox));
          of.open.put(text(args, "calls", ""), new OpenCalls(calls, new ConcurrentHashMap<>()));
          return ordered("privateGroup", calls.privateGroup());
        });
    ops.put("serve", of::serve);
    ops.put(
        "stopServing",
        args -> {
          Driver.of(of.calls(args).services(), "group", args).stop();
          return null;
        });
    ops.put("request", of::request);
    ops.put(
        "requestStatistics",
        args -> {
          RequestReply.Statistics statistics = of.calls(args).calls().statistics();
          return ordered(
              "open", statistics.open(), "lateReplies", statistics.lateReplies(),
              "duplicateReplies", statistics.duplicateReplies());
        });
    ops.put(
        "closeRequestReply",
        args -> {
          of.calls(args).calls().close();
          return null;
        });
  }

  private OpenCalls calls(JsonObject args) {
    return Driver.of(open, "calls", args);
  }

  private Object serve(JsonObject args) {
    ServeOptions options = new ServeOptions();
    if (args.has("concurrency")) options.concurrency((int) number(args, "concurrency", 1));
    if (args.has("maxQueued")) options.maxQueued((int) number(args, "maxQueued", 0));
    OpenCalls open = calls(args);
    String group = text(args, "group", "");
    open.services().put(group, open.calls().serve(group, handler(text(args, "behaviour", "")), options));
    return null;
  }

  private static RequestHandler handler(String behaviour) {
    return switch (behaviour) {
      case "echo" -> request -> HandlerReply.of(request.payload()).withHeaders(Map.of("served", "yes"));
      case "fail" ->
          request -> {
            throw new IllegalStateException("it failed");
          };
      case "never" ->
          request -> {
            // The end of the object interrupts the handler.
            new CountDownLatch(1).await();
            return null;
          };
      default -> throw new DriverException("unknown behaviour " + behaviour);
    };
  }

  private Object request(JsonObject args) {
    RequestOptions options = new RequestOptions().headers(Driver.headers(args));
    String replies = text(args, "replies", "1");
    if (replies.equals("all")) options.allReplies();
    else options.replies(Integer.parseInt(replies));
    if (args.has("timeoutMs")) options.timeout(Duration.ofMillis(number(args, "timeoutMs", 0)));
    byte[] payload = Base64.getDecoder().decode(text(args, "payload", ""));
    Replies result = calls(args).calls().request(text(args, "target", ""), payload, options);
    return ordered(
        "replies",
        result.replies().stream()
            .map(
                reply ->
                    ordered(
                        "sender", reply.sender(), "payload", Plain.base64(reply.payload()),
                        "headers", reply.headers(), "error", reply.error().orElse(null)))
            .toList(),
        "left", result.left(), "overloaded", result.overloaded(), "missing", result.missing(),
        "timedOut", result.timedOut(), "complete", result.complete());
  }
}
