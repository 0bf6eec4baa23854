package org.spreadsidecar.conformance;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.spreadsidecar.client.SpreadException;

/**
 * The driver's protocol: requests on standard input, responses on standard output. test/conformance/README.md
 * describes it.
 */
final class Protocol {
  /** Executes one kind of request. */
  interface Op {
    Object run(JsonObject args) throws Exception;
  }

  /** The request is invalid. */
  static final class DriverException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    DriverException(String message) {
      super(message);
    }
  }

  private final Gson gson = new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
  private final Map<Long, Thread> running = new ConcurrentHashMap<>();
  private final Map<Long, CountDownLatch> begun = new ConcurrentHashMap<>();
  private final PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false, StandardCharsets.UTF_8);

  void serve(Map<String, Op> ops, String version) throws IOException {
    write(ordered("ready", true, "language", "java", "version", version));
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    CountDownLatch[] before = {new CountDownLatch(0)};
    for (String line; (line = in.readLine()) != null; ) {
      JsonObject request = gson.fromJson(line, JsonObject.class);
      long id = request.get("id").getAsLong();
      String op = request.get("op").getAsString();
      JsonObject args = request.has("args") ? request.getAsJsonObject("args") : new JsonObject();
      if (op.equals("cancel")) {
        long given = args.get("op").getAsLong();
        CountDownLatch hasBegun = begun.get(given);
        Thread thread = running.get(given);
        if (thread != null && hasBegun != null) {
          awaitQuietly(hasBegun);
          thread.interrupt();
        }
        write(ordered("id", id, "ok", Map.of()));
        continue;
      }
      CountDownLatch now = new CountDownLatch(1);
      CountDownLatch earlier = before[0];
      before[0] = now;
      begun.put(id, now);
      Thread thread =
          new Thread(
              () -> {
                Map<String, Object> answer = ordered("id", id);
                try {
                  // Requests start in order: each starts after the previous one has started.
                  earlier.await(50, TimeUnit.MILLISECONDS);
                  now.countDown();
                  Op known = ops.get(op);
                  if (known == null) throw new DriverException("unknown op " + op);
                  Object ok = known.run(args);
                  answer.put("ok", ok == null ? Map.of() : ok);
                } catch (Throwable error) {
                  answer.put("error", errorOf(error));
                } finally {
                  now.countDown();
                  begun.remove(id);
                  running.remove(id);
                }
                write(answer);
              },
              "request-" + id);
      thread.setDaemon(true);
      running.put(id, thread);
      thread.start();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void write(Object line) {
    out.println(gson.toJson(line));
    out.flush();
  }

  static Map<String, Object> errorOf(Throwable thrown) {
    if (!(thrown instanceof SpreadException error)) {
      StringWriter trace = new StringWriter();
      thrown.printStackTrace(new PrintWriter(trace));
      return ordered("kind", "driver", "message", trace.toString());
    }
    // The first error is the cause.
    if (error.getMessage().startsWith("rejected messages: "))
      return ordered("kind", "rejected", "errors", error.getSuppressed().length + 1, "message", error.getMessage());
    return ordered(
        "kind",
        "spread",
        "status",
        error.status().name(),
        "reason",
        error.reason(),
        "domain",
        error.domain(),
        "code",
        error.code().orElse(null),
        "number",
        error.number().isPresent() ? error.number().getAsInt() : null,
        "metadata",
        error.metadata(),
        "retryable",
        error.isRetryable(),
        "retryDelayMs",
        error.retryDelay().map(delay -> delay.toMillis()).orElse(null),
        "outcome",
        error.outcome().map(outcome -> outcome == SpreadException.Outcome.UNKNOWN ? "unknown" : "not-sent").orElse(null),
        "message",
        error.getMessage());
  }

  /** A map from alternating names and values. */
  static Map<String, Object> ordered(Object... namesAndValues) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) map.put((String) namesAndValues[i], namesAndValues[i + 1]);
    return map;
  }

  static String text(JsonObject args, String name, String otherwise) {
    JsonElement value = args.get(name);
    return value == null || value.isJsonNull() ? otherwise : value.getAsString();
  }

  static long number(JsonObject args, String name, long otherwise) {
    JsonElement value = args.get(name);
    return value == null || value.isJsonNull() ? otherwise : value.getAsLong();
  }

  static boolean flag(JsonObject args, String name, boolean otherwise) {
    JsonElement value = args.get(name);
    return value == null || value.isJsonNull() ? otherwise : value.getAsBoolean();
  }
}
