package org.spreadsidecar.client;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.RejectedMessage;
import org.spreadsidecar.client.SpreadEvent.SelfLeaveMessage;
import org.spreadsidecar.v1.Event;

/** Tests that need no sidecar. */
@Timeout(30)
class OfflineTest {
  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:4813", "127.1.2.3:1", "localhost:4813", "[::1]:4813", "unix:/run/sidecar.sock"})
  void aTokenMayGoToThisMachine(String target) {
    assertDoesNotThrow(() -> new SpreadSidecar(new SidecarOptions().target(target).token("secret")).close());
  }

  @ParameterizedTest
  @ValueSource(strings = {"sidecar.example:4813", "10.0.0.1:4813", "127.0.0.1.example:4813", "localhost.example:1"})
  void aTokenIsNotSentInClearToAnother(String target) {
    SpreadException error =
        assertThrows(
            SpreadException.class, () -> new SpreadSidecar(new SidecarOptions().target(target).token("secret")));
    assertEquals("token", error.metadata().get("field"));
    assertFalse(error.getMessage().contains("secret"));
    assertDoesNotThrow(
        () -> new SpreadSidecar(new SidecarOptions().target(target).token("secret").insecure(true)).close());
  }

  @Test
  void invalidCertificatesAreRejected() {
    TlsOptions tls = new TlsOptions("no certificate".getBytes(), null, null);
    assertThrows(SpreadException.class, () -> new SpreadSidecar(new SidecarOptions().tls(tls)));
  }

  @Test
  void waitingForAnUnreachableSidecarEndsInTime() {
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target("127.0.0.1:1"))) {
      SpreadException error =
          assertThrows(SpreadException.class, () -> sidecar.waitForReady(Duration.ofMillis(200), false));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, error.status());
      assertTrue(error.isRetryable());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "private_name has 11 bytes,private_name,privateName has 11 bytes",
    "queue.soft_limit.time is 0,queue.soft_limit.time,queue.softLimit.time is 0",
    "daemon has 300 bytes,daemon,spreadName has 300 bytes",
    "daemons differ,daemon,daemons differ",
    "headers[A_b] has a capital letter,headers[A_b],headers[A_b] has a capital letter",
    "no field,'',no field"
  })
  void aSentenceNamesTheFieldAsTheOptionDoes(String sentence, String field, String expected) {
    assertEquals(expected, Errors.withOptionName(sentence, field));
  }

  @ParameterizedTest
  @ValueSource(classes = {MailboxOptions.class, SidecarOptions.class})
  void everyBooleanOptionTakesTheValueOfItsArgument(Class<?> options) throws ReflectiveOperationException {
    for (Method setter : options.getMethods()) {
      if (!Arrays.equals(setter.getParameterTypes(), new Class<?>[] {boolean.class})) continue;
      Field field = options.getDeclaredField(setter.getName());
      for (boolean value : new boolean[] {true, false}) {
        Object given = options.getConstructor().newInstance();
        setter.invoke(given, value);
        assertEquals(value, field.get(given), setter.getName());
      }
    }
  }

  private static OutgoingMessage outgoing(Map<String, String> headers) {
    return OutgoingMessage.to(ServiceType.FIFO, "g", new byte[] {1}).withHeaders(headers);
  }

  @Test
  void headersAreInTheMessageOfTheContractAndBack() {
    Map<String, String> headers = new HashMap<>(Map.of(Headers.CONTENT_TYPE, "text/plain", "empty", "", "n", "Grüße 🙂"));
    OutgoingMessage message = outgoing(headers);
    Map<String, String> sent = Map.copyOf(headers);
    headers.put("late", "1");
    assertEquals(sent, message.toProto().getHeadersMap());
    assertEquals(sent, OutgoingMessage.of(message.toProto()).headers());
    assertThrows(UnsupportedOperationException.class, () -> message.headers().put("late", "1"));
  }

  @Test
  void noHeadersAndEmptyHeadersAreTheSame() {
    for (Map<String, String> none : Arrays.<Map<String, String>>asList(null, Map.of())) {
      assertEquals(Map.of(), outgoing(none).headers());
      assertEquals(OutgoingMessage.to(ServiceType.FIFO, "g", new byte[] {1}).toProto(), outgoing(none).toProto());
    }
  }

  @Test
  void headersThatTheContractCannotCarryAreRejected() {
    Map<Map<String, String>, String> fields = new HashMap<>();
    fields.put(Map.of("a\uD800", "1"), "headers");
    Map<String, String> withoutName = new HashMap<>();
    withoutName.put(null, "1");
    fields.put(withoutName, "headers");
    fields.put(Map.of("a\"b", "\uDC00"), "headers[\"a\\\"b\"]");
    Map<String, String> withoutValue = new HashMap<>();
    withoutValue.put("name", null);
    fields.put(withoutValue, "headers[\"name\"]");
    fields.forEach(
        (headers, field) -> {
          SpreadException error = assertThrows(SpreadException.class, () -> outgoing(headers).toProto());
          assertEquals("FIELD_INVALID", error.reason());
          assertEquals(field, error.metadata().get("field"));
          assertEquals(SpreadException.Outcome.NOT_SENT, error.outcome().orElseThrow());
        });
  }

  @Test
  void receivedMessagesHaveUnmodifiableHeaders() {
    Map<String, String> headers = Map.of(Headers.REPLY_TO, "#a#b");
    Event.Builder event = Event.newBuilder();
    event.getRegularMessageBuilder().putAllHeaders(headers);
    RegularMessage regular = (RegularMessage) Events.of(event.build());
    assertEquals(headers, regular.headers());
    assertThrows(UnsupportedOperationException.class, () -> regular.headers().clear());
    event.getRejectedMessageBuilder().putAllHeaders(headers);
    RejectedMessage rejected = (RejectedMessage) Events.of(event.build());
    assertEquals(headers, rejected.headers());
    assertThrows(UnsupportedOperationException.class, () -> rejected.headers().clear());
  }

  @Test
  void receivedMessagesWithoutHeadersHaveAnEmptyMap() {
    Event.Builder event = Event.newBuilder();
    event.getRegularMessageBuilder();
    assertEquals(Map.of(), ((RegularMessage) Events.of(event.build())).headers());
    event.getRejectedMessageBuilder();
    assertEquals(Map.of(), ((RejectedMessage) Events.of(event.build())).headers());
  }

  @ParameterizedTest
  @CsvSource({"UNRELIABLE,1", "RELIABLE,2", "FIFO,4", "CAUSAL,8", "AGREED,16", "SAFE,32"})
  void serviceTypesHaveSpreadsBits(ServiceType type, int bits) {
    assertEquals(bits, type.bits());
    assertEquals(type, ServiceType.of(type.toProto()));
  }

  @Test
  void constantsHaveTheValuesOfTheHeader() {
    assertEquals(-6, Spread.REJECT_NOT_UNIQUE);
    assertEquals(0x20, Spread.SAFE_MESS);
    assertEquals(4803, Spread.DEFAULT_SPREAD_PORT);
    assertEquals(-14, Spread.ERRORS.get("ILLEGAL_GROUP"));
  }

  @Test
  void theErrorOfASidecarIsPrintedOnce() {
    ErrorInfo info = ErrorInfo.newBuilder().setReason("FIELD_INVALID").setDomain("spread-sidecar").build();
    com.google.rpc.Status answer =
        com.google.rpc.Status.newBuilder()
            .setCode(Status.Code.INVALID_ARGUMENT.value())
            .setMessage("no such thing")
            .addDetails(Any.pack(info))
            .build();
    SpreadException error = Errors.of(StatusProto.toStatusRuntimeException(answer), false);
    assertEquals("no such thing", error.getMessage());
    assertNull(error.getCause());
    assertNull(error.again().getCause());
    assertNotNull(Errors.of(Status.UNKNOWN.asRuntimeException(), false).getCause());
  }

  @Test
  void onlyACallWithUndecodableBytesCountsAsAnUndecodableResponse() {
    Throwable bytes = new InvalidProtocolBufferException("too short");
    Throwable parsing = Status.INTERNAL.withCause(bytes).asRuntimeException();
    assertTrue(Errors.isUndecodableResponse(Status.CANCELLED.withCause(parsing).asRuntimeException()));
    assertFalse(Errors.isUndecodableResponse(Status.CANCELLED.asRuntimeException()));
    assertFalse(
        Errors.isUndecodableResponse(Status.CANCELLED.withCause(new IOException("closed")).asRuntimeException()));
    assertFalse(Errors.isUndecodableResponse(Status.UNAVAILABLE.withCause(bytes).asRuntimeException()));
  }

  @Test
  void anErrorShowsItsCodeOrReasonAsAString() {
    SpreadException taken =
        new SpreadException(
            "taken", Status.Code.ALREADY_EXISTS, "REJECT_NOT_UNIQUE", "spread.org", Map.of(), false, null, null, null);
    assertEquals("org.spreadsidecar.client.SpreadException: REJECT_NOT_UNIQUE (-6): taken", taken.toString());
    assertTrue(SpreadException.local(Status.Code.UNAVAILABLE, "gone").toString().endsWith(": UNAVAILABLE: gone"));
  }

  @Test
  void anInboxReturnsItsEventsBeforeItsEnd() {
    Inbox inbox = new Inbox(2, 1 << 20, 0);
    assertFalse(inbox.push(List.of(new SelfLeaveMessage(1, "g"))));
    assertTrue(inbox.push(List.of(new SelfLeaveMessage(2, "g"))));
    assertTrue(inbox.end(SpreadException.local(Status.Code.UNAVAILABLE, "gone")));
    assertFalse(inbox.end(null));
    assertEquals(2, inbox.take(10, 0).size());
    assertEquals(2, inbox.lastTaken());
    assertEquals("gone", assertThrows(SpreadException.class, () -> inbox.take(1, 0)).getMessage());
    assertFalse(inbox.exhausted());
  }

  @Test
  void aFullInboxReportsWhenHalfOfItIsTaken() {
    Inbox inbox = new Inbox(4, 1 << 20, 0);
    int[] rooms = {0};
    inbox.onRoom(() -> rooms[0] += 1);
    for (int i = 1; i <= 4; i += 1) inbox.push(List.of(new SelfLeaveMessage(i, "g")));
    inbox.take(1, 0);
    assertEquals(0, rooms[0]);
    inbox.take(1, 0);
    assertEquals(1, rooms[0]);
    inbox.take(2, 0);
    assertEquals(1, rooms[0]);
  }

  @Test
  void nothingWithinATimeIsADeadline() {
    Inbox inbox = new Inbox(4, 1 << 20, 0);
    SpreadException error = assertThrows(SpreadException.class, () -> inbox.take(1, 1_000_000));
    assertEquals(Status.Code.DEADLINE_EXCEEDED, error.status());
  }
}
