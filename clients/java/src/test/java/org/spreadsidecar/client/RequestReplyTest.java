package org.spreadsidecar.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;

/** Tests with a sidecar, whose target is in SPREAD_SIDECAR_TARGET. The examples are those of the TypeScript client. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class RequestReplyTest {
  private static final AtomicInteger GROUPS = new AtomicInteger();
  private static final Duration LONG = Duration.ofSeconds(50);

  private final String target = System.getenv().getOrDefault("SPREAD_SIDECAR_TARGET", "");
  private final String g = "requests" + GROUPS.incrementAndGet();
  private final List<SpreadSidecar> sidecars = new ArrayList<>();

  @BeforeEach
  void needsSidecar() {
    assumeTrue(!target.isEmpty(), "needs a sidecar: its target in SPREAD_SIDECAR_TARGET");
  }

  @AfterEach
  void closeAll() {
    sidecars.forEach(SpreadSidecar::close);
  }

  private SpreadSidecar sidecar() {
    SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
    sidecars.add(sidecar);
    return sidecar;
  }

  /** An object over a channel of its own. */
  private RequestReply calls() {
    return sidecar().openRequestReply();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static HandlerReply upper(IncomingRequest request) {
    return HandlerReply.of(request.text().toUpperCase(java.util.Locale.ROOT));
  }

  private static HandlerReply never(IncomingRequest request) throws InterruptedException {
    new CountDownLatch(1).await();
    return null;
  }

  private static RequestOptions all() {
    return new RequestOptions().allReplies();
  }

  private static Set<String> replied(Replies result) {
    return result.replies().stream().map(reply -> reply.sender() + " " + reply.text()).collect(Collectors.toSet());
  }

  private static void until(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, what);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
    }
  }

  @Test
  void aRequestGetsOneReplyByDefault() {
    RequestReply client = calls();
    RequestReply server = calls();
    server.serve(
        g,
        request ->
            HandlerReply.of(
                    String.join(
                        " ",
                        request.text(),
                        request.sender(),
                        request.group(),
                        request.headers().get("name"),
                        String.valueOf(request.messageType())))
                .withHeaders(Map.of(Headers.CONTENT_TYPE, "text/plain")));
    Replies result =
        client.request(g, bytes("hello"), new RequestOptions().headers(Map.of("name", "x")).messageType(7));
    assertTrue(result.complete());
    Reply reply = result.replies().get(0);
    assertEquals(server.privateGroup(), reply.sender());
    assertEquals("text/plain", reply.headers().get("content-type"));
    assertFalse(reply.headers().containsKey(Headers.REPLY_TO));
    assertEquals("hello " + client.privateGroup() + " " + g + " x 7", reply.text());
  }

  @Test
  void aRequestGetsTheRepliesOfAllMembersAlsoOfTheRequester() {
    List<RequestReply> all = List.of(calls(), calls(), calls());
    for (RequestReply one : all) one.serve(g, RequestReplyTest::upper);
    Replies result = all.get(0).request(g, bytes("x"), all());
    assertEquals(all.stream().map(one -> one.privateGroup() + " X").collect(Collectors.toSet()), replied(result));
    assertTrue(result.complete());
  }

  @Test
  void aRequestDoesNotWaitForMembersThatDoNotServeTheGroup() {
    RequestReply client = calls();
    RequestReply other = calls();
    RequestReply server = calls();
    server.serve(g, RequestReplyTest::upper);
    other.request(g, bytes("joins the group"), all());
    Replies result = client.request(g, bytes("x"), all().timeout(LONG));
    assertEquals(Set.of(server.privateGroup() + " X"), replied(result));
    assertEquals(List.of(), result.missing());
    assertTrue(result.complete());
  }

  @Test
  void aRequestReportsAMemberThatLeavesAtOnce() {
    RequestReply client = calls();
    RequestReply server = calls();
    RequestReply leaving = calls();
    server.serve(g, RequestReplyTest::upper);
    AtomicBoolean isAsked = new AtomicBoolean();
    leaving.serve(
        g,
        request -> {
          isAsked.set(true);
          return never(request);
        });
    CompletableFuture<Replies> requested = client.requestAsync(g, bytes("x"), all().timeout(LONG));
    until("the handler runs", isAsked::get);
    leaving.close();
    Replies result = requested.join();
    assertEquals(List.of(leaving.privateGroup()), result.left());
    assertEquals(1, result.replies().size());
    assertFalse(result.complete());
    assertFalse(result.timedOut());
  }

  @Test
  void aRequestReportsMembersThatDoNotReplyInTime() {
    RequestReply client = calls();
    RequestReply server = calls();
    server.serve(g, RequestReplyTest::never);
    client.request(g, bytes("joins the group"), all().timeout(Duration.ofMillis(500)));
    Replies result = client.request(g, bytes("x"), all().timeout(Duration.ofMillis(50)));
    assertTrue(result.timedOut());
    assertFalse(result.complete());
    assertEquals(List.of(server.privateGroup()), result.missing());
  }

  @Test
  void aRequestEndsWithTheTimeoutWhenNobodyIsInTheGroup() {
    Replies result = calls().request(g, bytes("x"), new RequestOptions().timeout(Duration.ofMillis(50)));
    assertEquals(List.of(), result.replies());
    assertTrue(result.timedOut());
  }

  @Test
  void aRequestReportsTheFailureOfAHandler() {
    RequestReply server = calls();
    server.serve(
        g,
        request -> {
          throw new IllegalStateException("it failed: " + "ä".repeat(1000));
        });
    Reply reply = calls().request(g, bytes("x")).replies().get(0);
    assertEquals("it failed: " + "ä".repeat(494), reply.error().orElseThrow());
    assertEquals(0, reply.payload().length);
  }

  @Test
  void aRequestReportsAReplyThatIsTooLong() {
    RequestReply server = calls();
    server.serve(g, request -> HandlerReply.of(new byte[200_000]));
    Reply reply = calls().request(g, bytes("x")).replies().get(0);
    assertTrue(reply.error().orElseThrow().contains("143"), reply.error().orElseThrow());
  }

  @Test
  void aRequestThatIsTooLongFails() {
    RequestReply client = calls();
    SpreadException error = assertThrows(SpreadException.class, () -> client.request(g, new byte[200_000]));
    assertEquals("MESSAGE_TOO_LONG", error.reason());
    assertEquals(SpreadException.Outcome.NOT_SENT, error.outcome().orElseThrow());
    assertEquals(0, client.statistics().open());
  }

  @Test
  void aRequestThatCannotJoinTheGroupFails() {
    RequestReply client = calls();
    SpreadException error =
        assertThrows(SpreadException.class, () -> client.request("no spaces", bytes("x"), all()));
    assertEquals("ILLEGAL_GROUP", error.reason());
    CompletionException failed =
        assertThrows(CompletionException.class, () -> client.requestAsync("no spaces", bytes("x"), all()).join());
    assertEquals("ILLEGAL_GROUP", ((SpreadException) failed.getCause()).reason());
    assertEquals(0, client.statistics().open());
  }

  @Test
  void aRequestIsCancelledWithItsFuture() {
    RequestReply client = calls();
    CompletableFuture<Replies> requested = client.requestAsync(g, bytes("x"));
    assertEquals(1, client.statistics().open());
    requested.cancel(true);
    assertEquals(0, client.statistics().open());
  }

  @Test
  void aRequestIsCancelledByAnInterrupt() throws Exception {
    RequestReply client = calls();
    AtomicReference<SpreadException> error = new AtomicReference<>();
    Thread waiting =
        new Thread(() -> error.set(assertThrows(SpreadException.class, () -> client.request(g, bytes("x")))));
    waiting.start();
    until("it waits", () -> waiting.getState() == Thread.State.WAITING && client.statistics().open() == 1);
    waiting.interrupt();
    waiting.join();
    assertEquals(Status.Code.CANCELLED, error.get().status());
    assertEquals(0, client.statistics().open());
  }

  @Test
  void aFurtherRequestFailsIfTooManyAreOpen() {
    RequestReply client = calls();
    List<CompletableFuture<Replies>> open = new ArrayList<>();
    for (int i = 0; i < 10_000; i += 1) open.add(client.requestAsync(g, bytes("x")));
    SpreadException error = assertThrows(SpreadException.class, () -> client.request(g, bytes("x")));
    assertEquals("TOO_MANY_CALLS", error.reason());
    assertEquals("10000", error.metadata().get("bound"));
    open.get(0).cancel(true);
    assertEquals(9999, client.statistics().open());
  }

  @Test
  void optionsHaveBounds() {
    assertThrows(SpreadException.class, () -> new RequestOptions().replies(0));
    assertThrows(SpreadException.class, () -> new RequestOptions().timeout(Duration.ZERO));
    assertThrows(SpreadException.class, () -> new ServeOptions().concurrency(0));
    assertThrows(SpreadException.class, () -> new ServeOptions().maxQueued(-1));
  }

  @Test
  void aRequestToAPrivateGroupReachesThisMemberOnly() {
    RequestReply other = calls();
    RequestReply server = calls();
    other.serve(g, RequestReplyTest::upper);
    server.serve(g, RequestReplyTest::upper);
    server.serve(g + "second", request -> HandlerReply.of("the second service"));
    Replies result = calls().request(server.privateGroup(), bytes("x"), all());
    assertEquals(Set.of(server.privateGroup() + " X"), replied(result));
  }

  @Test
  void aRequestToAPrivateGroupEndsAtOnceWhenTheMemberDisconnects() {
    RequestReply client = calls();
    RequestReply server = calls();
    CountDownLatch isAsked = new CountDownLatch(1);
    server.serve(
        g,
        request -> {
          isAsked.countDown();
          return never(request);
        });
    client.serve(g, RequestReplyTest::upper);
    CompletableFuture<Replies> requested =
        client.requestAsync(server.privateGroup(), bytes("x"), new RequestOptions().timeout(LONG));
    until("the handler runs", () -> isAsked.getCount() == 0);
    server.close();
    assertEquals(List.of(server.privateGroup()), requested.join().left());
  }

  @Test
  void aServiceHandlesRequestsInOrderOneAtATimeAndMayMakeRequestsItself() {
    RequestReply client = calls();
    RequestReply front = calls();
    RequestReply back = calls();
    back.serve(g, RequestReplyTest::upper);
    AtomicInteger running = new AtomicInteger();
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    front.serve(
        g + "front",
        request -> {
          assertEquals(1, running.incrementAndGet());
          Reply reply = front.request(g, request.payload()).replies().get(0);
          running.decrementAndGet();
          order.add(request.text());
          return HandlerReply.of(reply.payload());
        });
    List<String> payloads = new ArrayList<>();
    List<CompletableFuture<Replies>> requested = new ArrayList<>();
    for (int i = 0; i < 20; i += 1) {
      payloads.add("p" + i);
      requested.add(client.requestAsync(g + "front", bytes("p" + i)));
    }
    for (int i = 0; i < 20; i += 1) assertEquals("P" + i, requested.get(i).join().replies().get(0).text());
    assertEquals(payloads, order);
  }

  @Test
  void dependentsOfARequestMayMakeRequests() {
    RequestReply client = calls();
    calls().serve(g, RequestReplyTest::upper);
    String text =
        client
            .requestAsync(g, bytes("x"))
            .thenApply(first -> client.request(g, first.replies().get(0).payload()))
            .thenApply(second -> second.replies().get(0).text())
            .join();
    assertEquals("X", text);
  }

  @Test
  void aServiceRunsHandlersConcurrently() {
    RequestReply client = calls();
    CountDownLatch both = new CountDownLatch(2);
    calls()
        .serve(
            g,
            request -> {
              both.countDown();
              both.await();
              return HandlerReply.of("both");
            },
            new ServeOptions().concurrency(2));
    CompletableFuture<Replies> first = client.requestAsync(g, bytes("x"));
    assertEquals("both", client.request(g, bytes("x")).replies().get(0).text());
    assertTrue(first.join().complete());
  }

  @Test
  void aServiceRejectsRequestsWhenTooManyWait() {
    RequestReply client = calls();
    RequestReply server = calls();
    CountDownLatch finish = new CountDownLatch(1);
    server.serve(
        g,
        request -> {
          finish.await();
          return HandlerReply.of("done");
        },
        new ServeOptions().maxQueued(1));
    List<CompletableFuture<Replies>> requested = new ArrayList<>();
    for (int i = 0; i < 3; i += 1) requested.add(client.requestAsync(g, bytes("x"), all().timeout(LONG)));
    Replies rejected = requested.get(2).join();
    assertEquals(List.of(server.privateGroup()), rejected.overloaded());
    assertFalse(rejected.complete());
    finish.countDown();
    assertTrue(requested.get(0).join().complete());
    assertTrue(requested.get(1).join().complete());
  }

  @Test
  void aServiceWithoutAQueueAcceptsARequestAfterItsReply() {
    RequestReply client = calls();
    calls().serve(g, RequestReplyTest::upper, new ServeOptions().maxQueued(0));
    for (int i = 0; i < 100; i += 1) assertTrue(client.request(g, bytes("x"), all().timeout(LONG)).complete());
  }

  @Test
  void aServiceLeavesTheGroupWhenItStops() {
    RequestReply client = calls();
    RequestReply server = calls();
    RequestService service = server.serve(g, RequestReplyTest::upper);
    assertThrows(SpreadException.class, () -> server.serve(g, RequestReplyTest::upper));
    assertTrue(client.request(g, bytes("x"), all()).complete());
    service.stop();
    Replies result = client.request(g, bytes("x"), all().timeout(LONG));
    assertEquals(List.of(List.of(), List.of(), List.of()), List.of(result.replies(), result.left(), result.missing()));
    server.serve(g, request -> HandlerReply.of("again"));
    service.stop();
    assertEquals(Set.of(server.privateGroup() + " again"), replied(client.request(g, bytes("x"), all())));
  }

  @Test
  void lateAndRepeatedRepliesHaveNoEffect() {
    RequestReply client = calls();
    Mailbox other = sidecar().connect();
    other.joinAndAwaitView(g);
    CompletableFuture<Replies> requested =
        client.requestAsync(g, bytes("x"), new RequestOptions().replies(2).timeout(Duration.ofMillis(500)));
    SpreadEvent event = other.receive();
    while (!(event instanceof RegularMessage)) event = other.receive();
    Map<String, String> headers = ((RegularMessage) event).headers();
    OutgoingMessage reply =
        OutgoingMessage.to(ServiceType.AGREED, headers.get(Headers.REPLY_TO), bytes("y"))
            .withHeaders(Map.of(Headers.CORRELATION_ID, headers.get(Headers.CORRELATION_ID)));
    other.multicast(reply, null);
    other.multicast(reply, null);
    assertEquals(1, requested.join().replies().size());
    other.multicast(reply, null);
    until("the late reply is counted", () -> client.statistics().lateReplies() == 1);
    assertEquals(new RequestReply.Statistics(0, 1, 1), client.statistics());
  }

  @Test
  void otherEventsGoToTheListener() {
    List<SpreadEvent> events = Collections.synchronizedList(new ArrayList<>());
    RequestReply client = sidecar().openRequestReply(new RequestReplyOptions().onEvent(events::add));
    client.serve(g, RequestReplyTest::upper);
    calls().request(g, bytes("a request"));
    sidecar().connect().multicast(ServiceType.AGREED, g, bytes("not a request"));
    until("both events have arrived", () -> events.size() == 2);
    assertTrue(events.get(0) instanceof ViewMessage);
    assertEquals("not a request", ((RegularMessage) events.get(1)).text());
  }

  @Test
  void theEndOfTheMailboxEndsOpenRequestsAndAllLaterOnes() {
    RequestReply client = calls();
    CompletableFuture<Replies> requested = client.requestAsync(g, bytes("x"));
    client.close();
    CompletionException ended = assertThrows(CompletionException.class, requested::join);
    assertEquals("ILLEGAL_SESSION", ((SpreadException) ended.getCause()).reason());
    SpreadException error = assertThrows(SpreadException.class, () -> client.request(g, bytes("x")));
    assertEquals("ILLEGAL_SESSION", error.reason());
    assertThrows(SpreadException.class, () -> client.serve(g, RequestReplyTest::upper));
  }

  @Test
  void noThreadIsLeftAfterClose() {
    RequestReply client = calls();
    RequestReply server = calls();
    server.serve(g, RequestReplyTest::never, new ServeOptions().concurrency(2));
    RequestService stopped = server.serve(g + "stopped", RequestReplyTest::never);
    client.requestAsync(g, bytes("x"));
    client.requestAsync(g, bytes("x"));
    client.requestAsync(g + "stopped", bytes("x"));
    until("three handlers run", () -> threads("spread-handler-" + server.privateGroup()) == 3);
    stopped.stop();
    server.close();
    client.close();
    for (RequestReply calls : List.of(client, server))
      for (String kind : List.of("handler", "requests", "replies"))
        until("a thread is left", () -> threads("spread-" + kind + "-" + calls.privateGroup()) == 0);
  }

  private static long threads(String name) {
    return Thread.getAllStackTraces().keySet().stream().filter(one -> one.getName().startsWith(name)).count();
  }

  @Test
  void theMailboxGetsAllOptionsOfTheApplication() throws Exception {
    MailboxOptions given =
        new MailboxOptions()
            .spreadName("4803")
            .privateName("name")
            .onNameConflict(NameConflict.SUFFIX)
            .priority(1)
            .auth("IP")
            .lease(LONG)
            .endWithConnection(false)
            .reconnect(ReconnectOptions.DEFAULT)
            .queue(new QueueOptions(1, 2, 3, null, 0, null))
            .acknowledgement(AcknowledgementMode.EXPLICIT)
            .maxBufferedEvents(1)
            .maxBufferedBytes(2)
            .maxOutstandingEvents(3)
            .maxOutstandingBytes(4)
            .heartbeatInterval(LONG)
            .keepAlive(false)
            .onNotice(notice -> {});
    MailboxOptions copy = given.forRequestReply();
    MailboxOptions defaults = new MailboxOptions().forRequestReply();
    assertEquals(Boolean.TRUE, defaults.endWithConnection);
    Set<String> fixed = Set.of("membership", "manualAcknowledgement", "autoReceive", "afterSequence");
    for (Field field : MailboxOptions.class.getDeclaredFields()) {
      if (fixed.contains(field.getName())) continue;
      assertNotNull(field.get(copy), field.getName());
      assertEquals(field.get(given), field.get(copy), field.getName());
      assertFalse(field.get(defaults) != null && field.get(defaults).equals(field.get(copy)), field.getName());
    }
  }
}
