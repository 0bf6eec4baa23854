package org.spreadsidecar.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.ThrowingConsumer;
import org.spreadsidecar.v1.Event;
import org.spreadsidecar.v1.MulticastMessage;
import org.spreadsidecar.v1.SelfLeave;

/** Runs the examples of the client rules. test/conformance/rules/README.md describes their format. */
class ClientRulesTest {
  private static final Path FOLDER = Path.of("..", "..", "test", "conformance", "rules");

  /** The beginning of the clock. Negative, because the values of a monotonic clock have no meaning. */
  private static final long BEGIN = -Duration.ofMillis(12_345).toNanos();

  private static final Map<String, ThrowingConsumer<Members>> FILES =
      Map.of(
          "acknowledgement.json", ClientRulesTest::acknowledgement,
          "backoff.json", ClientRulesTest::backoff,
          "calls.json", ClientRulesTest::call,
          "failures.json", ClientRulesTest::failure,
          "lease.json", ClientRulesTest::lease,
          "receive.json", ClientRulesTest::receive,
          "sender.json", ClientRulesTest::sender);

  /** The members of a JSON object. Each member must be read. */
  private static final class Members {
    private final JsonObject object;
    private final Set<String> unread;

    Members(JsonElement element) {
      object = element.getAsJsonObject();
      unread = new TreeSet<>(object.keySet());
    }

    boolean has(String name) {
      return object.has(name);
    }

    JsonElement get(String name) {
      assertTrue(has(name), () -> "the member " + name + " is missing in " + object);
      unread.remove(name);
      return object.get(name);
    }

    String text(String name, String otherwise) {
      return has(name) ? get(name).getAsString() : otherwise;
    }

    boolean flag(String name) {
      return has(name) && get(name).getAsBoolean();
    }

    long number(String name) {
      return get(name).getAsLong();
    }

    Members members(String name) {
      return new Members(get(name));
    }

    /** Null if the member is null. */
    Members membersOrNull(String name) {
      JsonElement element = get(name);
      return element.isJsonNull() ? null : new Members(element);
    }

    List<Members> list(String name) {
      List<Members> list = new ArrayList<>();
      get(name).getAsJsonArray().forEach(element -> list.add(new Members(element)));
      return list;
    }

    List<Long> numbers(String name) {
      List<Long> numbers = new ArrayList<>();
      JsonArray array = has(name) ? get(name).getAsJsonArray() : new JsonArray();
      array.forEach(element -> numbers.add(element.getAsLong()));
      return numbers;
    }

    Map<String, String> map(String name) {
      Map<String, String> map = new HashMap<>();
      if (has(name)) get(name).getAsJsonObject().asMap().forEach((key, value) -> map.put(key, value.getAsString()));
      return map;
    }

    void checkAllRead() {
      assertEquals(Set.of(), unread, () -> "unknown members in " + object);
    }
  }

  private static List<Members> examplesOf(String file) throws IOException {
    Members content = new Members(JsonParser.parseString(Files.readString(FOLDER.resolve(file))));
    List<Members> examples = content.list("examples");
    content.checkAllRead();
    assertFalse(examples.isEmpty());
    return examples;
  }

  @Test
  void everyFileHasATest() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      Set<String> names = files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
      names.remove("README.md");
      assertEquals(FILES.keySet(), names);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyExampleHolds() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (String file : new TreeSet<>(FILES.keySet()))
      for (Members example : examplesOf(file)) {
        String name = file + " " + example.get("rules") + ": " + example.text("name", "");
        tests.add(
            DynamicTest.dynamicTest(
                name,
                () -> {
                  FILES.get(file).accept(example);
                  example.checkAllRead();
                }));
      }
    return tests.stream();
  }

  private static SpreadException errorOf(Members error) {
    SpreadException exception =
        new SpreadException(
            "the message",
            Status.Code.valueOf(error.text("status", "")),
            error.text("reason", ""),
            "",
            error.map("metadata"),
            error.flag("retryable"),
            null,
            null,
            null);
    error.checkAllRead();
    return exception;
  }

  private static long nanos(long ms) {
    return Duration.ofMillis(ms).toNanos();
  }

  private static String textOf(SpreadException.Outcome outcome) {
    return switch (outcome) {
      case NOT_SENT -> "not-sent";
      case UNKNOWN -> "unknown";
    };
  }

  private static void backoff(Members example) {
    double[] draw = {0};
    Backoff backoff =
        switch (example.text("kind", "")) {
          case "stream" -> Backoff.ofStream(() -> draw[0]);
          case "ready" -> Backoff.ofReady(() -> draw[0]);
          default -> fail("unknown kind");
        };
    for (Members step : example.list("steps")) {
      if (step.has("reset")) {
        assertTrue(step.flag("reset"));
        backoff.reset();
      } else {
        draw[0] = step.get("draw").getAsDouble();
        assertEquals(nanos(step.number("pauseMs")), backoff.nextNanos());
      }
      step.checkAllRead();
    }
  }

  private static void failure(Members example) {
    SpreadException error = errorOf(example.members("error"));
    boolean tokenMayChange = example.flag("tokenMayChange");
    Members expect = example.members("expect");
    assertEquals(expect.flag("transportFailure"), Failures.isTransportFailure(error));
    assertEquals(expect.flag("mayPass"), Failures.mayPass(error, tokenMayChange));
    assertEquals(expect.flag("endsStreamOnly"), Failures.endsStreamOnly(error));
    assertEquals(expect.flag("mailboxEnded"), Failures.isMailboxEnded(error));
    assertEquals(
        expect.text("disconnectReturns", ""), Failures.makesDisconnectReturnFalse(error) ? "false" : "error");
    assertEquals(
        AcknowledgementRules.AfterFailure.valueOf(expect.text("acknowledgement", "").toUpperCase(Locale.ROOT)),
        AcknowledgementRules.afterFailure(error, tokenMayChange));
    expect.checkAllRead();
  }

  private static void call(Members example) {
    Status.Code code = Status.Code.valueOf(example.text("status", ""));
    com.google.rpc.Status.Builder details = com.google.rpc.Status.newBuilder().setCode(code.value());
    Members info = example.membersOrNull("info");
    if (info != null) {
      ErrorInfo.Builder errorInfo = ErrorInfo.newBuilder().setReason(info.text("reason", ""));
      details.addDetails(Any.pack(errorInfo.putAllMetadata(info.map("metadata")).build()));
      info.checkAllRead();
    }
    if (example.flag("hasRetryInfo")) details.addDetails(Any.pack(RetryInfo.getDefaultInstance()));
    Metadata trailers = new Metadata();
    if (example.has("details")) {
      assertEquals("malformed", example.text("details", ""));
      // A field with the reserved wire type 7.
      trailers.put(
          Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {15, -1, -1});
    } else if (details.getDetailsCount() > 0)
      trailers.put(
          Metadata.Key.of(
              "grpc-status-details-bin",
              ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance())),
          details.build());
    SpreadException error = Errors.of(new StatusRuntimeException(code.toStatus(), trailers), true);
    Members expect = example.members("expect");
    assertEquals(expect.flag("retryable"), error.isRetryable());
    assertEquals(expect.text("outcome", ""), textOf(error.outcome().orElseThrow()));
    assertEquals(expect.text("reason", "?"), error.reason());
    expect.checkAllRead();
  }

  private static void lease(Members example) {
    LeaseRules rules = new LeaseRules(Duration.ofMillis(example.number("leaseMs")), BEGIN);
    assertEquals(nanos(example.number("checkEveryMs")), rules.checkNanos());
    for (Members step : example.list("steps")) {
      long now = BEGIN + nanos(step.number("atMs"));
      if (step.has("used")) {
        assertTrue(step.flag("used"));
        rules.onUse(now);
      } else {
        boolean isAttached = step.flag("attached");
        assertEquals(step.get("renews").getAsBoolean(), rules.isCallDue(now, isAttached), () -> "at " + step.object);
      }
      step.checkAllRead();
    }
  }

  private static void acknowledgement(Members example) {
    AcknowledgementRules rules = new AcknowledgementRules(false, () -> 1);
    for (Members step : example.list("steps")) {
      Long sends = null;
      if (step.has("request")) sends = rules.onRequest(step.number("request"));
      else if (step.flag("succeeds")) sends = rules.onSuccess();
      else if (step.flag("pauseEnds")) sends = rules.onPauseEnd();
      else if (step.flag("closes")) rules.close();
      else {
        AcknowledgementRules.AfterFailure after = rules.onFailure(errorOf(step.members("fails")));
        switch (after) {
          case REPEAT -> assertEquals(nanos(step.number("pauseUpToMs")), rules.pauseNanos());
          case STOP -> assertEquals("silently", step.text("stops", ""));
          case FAIL -> assertEquals("withError", step.text("stops", ""));
        }
      }
      if (sends != null) {
        JsonElement expected = step.get("sends");
        assertEquals(expected.isJsonNull() ? AcknowledgementRules.NONE : expected.getAsLong(), sends);
      }
      step.checkAllRead();
    }
  }

  private static void receive(Members example) {
    Members options = example.members("options");
    ReceiveRules rules =
        new ReceiveRules(
            new ReceiveRules.Settings(
                options.number("afterSequence"),
                Duration.ofMillis(options.number("leaseMs")),
                Duration.ofMillis(options.number("heartbeatIntervalMs")),
                options.flag("tokenMayChange"),
                Map.of()),
            () -> 1);
    options.checkAllRead();
    long now = BEGIN;
    rules.start(now);
    boolean opensNext = true;
    boolean ended = false;
    for (Members step : example.list("steps")) {
      assertFalse(ended, "receiving has ended before the last step");
      if (step.has("atMs")) now = BEGIN + nanos(step.number("atMs"));
      assertEquals(opensNext, step.has("opens"), () -> "whether the client opens a stream at " + step.object);
      opensNext = false;
      SpreadException error = null;
      if (step.has("opens")) {
        Members opens = step.members("opens");
        assertTrue(rules.canAttach(false));
        assertEquals(opens.number("afterSequence"), rules.last());
        assertEquals(nanos(opens.number("attachLimitMs")), rules.open(now).attachLimitNanos());
        opens.checkAllRead();
      } else if (step.has("attached")) {
        error = rules.onAttached(step.number("attached"));
        assertEquals(error == null, rules.isAttached());
      } else if (step.has("events")) {
        Set<Long> unknown = new HashSet<>(step.numbers("unknownKinds"));
        List<Long> taken = new ArrayList<>();
        for (long sequence : step.numbers("events")) {
          Event.Builder event = Event.newBuilder().setSequence(sequence);
          if (!unknown.contains(sequence)) event.setSelfLeave(SelfLeave.getDefaultInstance());
          ReceiveRules.OnEvent action = rules.onEvent(sequence);
          if (action == ReceiveRules.OnEvent.FAIL) {
            error = rules.missing(sequence);
            break;
          }
          SpreadEvent known = Events.of(event.build());
          if (action == ReceiveRules.OnEvent.TAKE && known != null) taken.add(known.sequence());
        }
        assertEquals(step.numbers("taken"), taken);
      } else if (step.has("heartbeat")) error = rules.onHeartbeat(step.number("heartbeat"));
      else if (step.has("unknownFrame")) assertTrue(step.flag("unknownFrame"));
      else {
        boolean closes = step.flag("closes");
        ReceiveRules.AfterStream after = rules.onEnd(closes ? null : errorOf(step.members("fails")), now);
        assertFalse(rules.isAttached());
        assertEquals(step.flag("detached"), after.isDetached());
        opensNext = after.attachesAgain();
        if (opensNext) assertEquals(nanos(step.number("pauseUpToMs")), after.pauseNanos());
        ended = !opensNext;
        error = after.error();
      }
      ended |= error != null;
      assertEquals(step.has("end"), ended, () -> "whether receiving ends at " + step.object);
      if (ended) checkEnd(step.membersOrNull("end"), error);
      if (step.has("last")) assertEquals(step.number("last"), rules.last());
      step.checkAllRead();
    }
  }

  private static void checkEnd(Members end, SpreadException error) {
    if (end == null) {
      assertNull(error);
      return;
    }
    assertNotNull(error);
    assertEquals(end.text("status", ""), error.status().name());
    assertEquals(end.text("reason", "?"), error.reason());
    assertEquals(end.map("metadata"), error.metadata());
    String part = end.text("message", "");
    assertTrue(error.getMessage().contains(part), () -> error.getMessage() + " must contain " + part);
    end.checkAllRead();
  }

  private static void sender(Members example) {
    Members options = example.members("options");
    SendWindow window =
        new SendWindow(
            options.number("maxInFlightMessages"), options.number("maxInFlightBytes"), options.number("maxBatchBytes"));
    options.checkAllRead();
    long unwritten = 0;
    for (Members step : example.list("steps")) {
      if (step.has("sends")) {
        Members sends = step.members("sends");
        OutgoingMessage message = messageOf(sends);
        long times = sends.has("times") ? sends.number("times") : 1;
        sends.checkAllRead();
        for (long i = 0; i < times; i += 1) window.add(SendWindow.sizeOf(message));
        unwritten += times;
      } else if (step.has("writes")) {
        boolean isComplete = window.isFrameComplete();
        int messages = checkFrame(step.members("writes"), window.nextFrame(false));
        unwritten -= messages;
        if (unwritten > 0) assertTrue(isComplete, "a frame that others follow is complete");
      } else if (step.has("flush")) {
        Members flush = step.members("flush");
        for (Members expected : flush.list("frames")) unwritten -= checkFrame(expected, window.nextFrame(true));
        assertNull(window.nextFrame(true));
        assertEquals(0, unwritten);
        flush.checkAllRead();
      } else if (step.has("response")) {
        Members response = step.members("response");
        long decided = response.number("decided");
        long accepted = response.number("accepted");
        SpreadException error = window.onResponse(decided, accepted);
        response.checkAllRead();
        if (step.has("end")) checkSenderEnd(step.membersOrNull("end"), error);
        else {
          assertNull(error);
          assertEquals(decided, window.decided());
          assertEquals(accepted, window.accepted());
        }
      } else if (step.has("fails")) {
        assertEquals(step.text("outcome", ""), textOf(window.outcomeOf(errorOf(step.members("fails")))));
      } else if (step.flag("closing")) window.close();
      else {
        assertTrue(step.flag("closes"));
        checkSenderEnd(step.membersOrNull("end"), window.errorOfEnd());
      }
      if (step.has("full")) assertEquals(step.flag("full"), window.isFull());
      if (step.has("inFlight")) assertEquals(step.number("inFlight"), window.inFlight());
      step.checkAllRead();
    }
  }

  private static OutgoingMessage messageOf(Members sends) {
    List<String> groups = new ArrayList<>();
    long count = sends.has("groups") ? sends.number("groups") : 1;
    for (long i = 0; i < count; i += 1) groups.add("g" + i);
    byte[] payload = new byte[(int) sends.number("payloadBytes")];
    return new OutgoingMessage(ServiceType.FIFO, groups, payload, 0, false, sends.map("headers"));
  }

  private static int checkFrame(Members expected, SendWindow.Frame frame) {
    assertNotNull(frame, () -> "no frame, but expected " + expected.object);
    assertEquals(expected.number("messages"), frame.messages());
    assertEquals(expected.get("respond").getAsBoolean(), frame.respond());
    expected.checkAllRead();
    return frame.messages();
  }

  private static void checkSenderEnd(Members end, SpreadException error) {
    if (end == null) {
      assertNull(error);
      return;
    }
    assertNotNull(error);
    assertEquals(end.text("status", ""), error.status().name());
    assertEquals(end.text("outcome", ""), textOf(error.outcome().orElseThrow()));
    end.checkAllRead();
  }

  private static ReceiveRules rulesWith(Duration heartbeatInterval) {
    ReceiveRules rules =
        new ReceiveRules(
            new ReceiveRules.Settings(0, Duration.ofSeconds(30), heartbeatInterval, false, Map.of()), () -> 1);
    rules.start(BEGIN);
    return rules;
  }

  @Test
  void aStreamIsSilentAfterThreeIntervalsWithoutAFrame() {
    ReceiveRules.StreamWatch watch = rulesWith(Duration.ofSeconds(1)).open(BEGIN);
    assertEquals(nanos(1), watch.leftNanos(BEGIN + nanos(2999)));
    watch.onFrame(BEGIN + nanos(2999));
    assertEquals(nanos(3000), watch.leftNanos(BEGIN + nanos(2999)));
    assertEquals(0, watch.leftNanos(BEGIN + nanos(5999)));
    assertEquals(Status.Code.UNAVAILABLE, watch.silenceError().status());
    assertEquals("the sidecar sent no frame for 3000 ms", watch.silenceError().getMessage());
  }

  @Test
  void aPausedStreamIsNotSilent() {
    ReceiveRules.StreamWatch watch = rulesWith(Duration.ofSeconds(1)).open(BEGIN);
    watch.onFrame(BEGIN);
    watch.pause();
    assertEquals(nanos(3000), watch.leftNanos(BEGIN + nanos(60_000)));
    watch.resume(BEGIN + nanos(60_000));
    assertEquals(nanos(1), watch.leftNanos(BEGIN + nanos(62_999)));
  }

  @Test
  void withoutHeartbeatsOnlyTheAttemptToAttachCanBeSilent() {
    ReceiveRules.StreamWatch watch = rulesWith(Duration.ZERO).open(BEGIN);
    assertEquals(0, watch.leftNanos(BEGIN + nanos(30_000)));
    watch.onFrame(BEGIN + nanos(1));
    assertEquals(Long.MAX_VALUE, watch.leftNanos(BEGIN + nanos(1_000_000)));
  }

  @Test
  void aFullInboxDelaysOnlyTheFetchOfLastEvents() {
    ReceiveRules rules = rulesWith(Duration.ofSeconds(1));
    assertTrue(rules.canAttach(true));
    SpreadException end =
        SpreadException.local(Status.Code.ABORTED, "ended").with("ended", Map.of("last_sequence", "3"), null, null);
    assertTrue(rules.onEnd(end, BEGIN).attachesAgain());
    assertFalse(rules.canAttach(true));
    assertTrue(rules.canAttach(false));
  }

  @Test
  void aMailboxWithAllLastEventsEndsWithItsErrorAfterABreak() {
    ReceiveRules rules = rulesWith(Duration.ofSeconds(1));
    SpreadException end =
        SpreadException.local(Status.Code.ABORTED, "ended").with("ended", Map.of("last_sequence", "1"), null, null);
    assertTrue(rules.onEnd(end, BEGIN).attachesAgain());
    assertNull(rules.onAttached(1));
    assertEquals(ReceiveRules.OnEvent.TAKE, rules.onEvent(1));
    ReceiveRules.AfterStream after = rules.onEnd(SpreadException.local(Status.Code.UNAVAILABLE, "broken"), BEGIN);
    assertFalse(after.attachesAgain());
    assertEquals("ended", after.error().getMessage());
  }

  @Test
  void theFetchHasItsOwnTimeAfterAMailboxEnd() {
    ReceiveRules rules = rulesWith(Duration.ofSeconds(1));
    long now = BEGIN + nanos(25_000);
    SpreadException end =
        SpreadException.local(Status.Code.ABORTED, "ended").with("ended", Map.of("last_sequence", "1"), null, null);
    assertTrue(rules.onEnd(end, now).attachesAgain());
    SpreadException broken = SpreadException.local(Status.Code.UNAVAILABLE, "broken");
    assertTrue(rules.onEnd(broken, now + nanos(1999)).attachesAgain());
    assertEquals(
        "ended; events 1 to 1 are lost", rules.onEnd(broken, now + nanos(2000)).error().getMessage());
  }

  @Test
  void aSendWindowKeepsTheSizesWhileItGrows() {
    SendWindow window = new SendWindow(1_000_000, 1_000_000_000, 1_000_000_000);
    for (int i = 1; i <= 5000; i += 1) {
      window.add(i);
      if (i % 10 == 0) {
        while (window.nextFrame(false) != null);
        assertNull(window.onResponse(i / 2, i / 2));
      }
    }
    while (window.nextFrame(false) != null);
    assertNull(window.onResponse(5000, 5000));
    assertEquals(0, window.inFlight());
    assertEquals(0, window.inFlightBytes());
  }

  @Test
  void theSizeOfHeadersIsTheirSizeInMulticastMessage() {
    Map<String, String> headers = Map.of("n", "aß€🙂", "long", "x".repeat(200), "m", "");
    int encoded = MulticastMessage.newBuilder().putAllHeaders(headers).build().getSerializedSize();
    assertEquals(encoded, Headers.encodedSize(headers));
  }
}
