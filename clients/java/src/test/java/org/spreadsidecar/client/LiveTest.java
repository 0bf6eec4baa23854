package org.spreadsidecar.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.Status;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.spreadsidecar.client.SpreadEvent.MembershipMessage;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;

/** Tests with a sidecar, whose target is in SPREAD_SIDECAR_TARGET. */
@Timeout(60)
class LiveTest {
  private final String target = System.getenv().getOrDefault("SPREAD_SIDECAR_TARGET", "");

  @BeforeEach
  void needsSidecar() {
    assumeTrue(!target.isEmpty(), "needs a sidecar: its target in SPREAD_SIDECAR_TARGET");
  }

  private SpreadSidecar open() {
    return new SpreadSidecar(new SidecarOptions().target(target));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void until(String what, BooleanSupplier condition) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < end, what);
      Thread.onSpinWait();
    }
  }

  @Test
  void iterationEndsWithTheDisconnect() {
    try (SpreadSidecar sidecar = open()) {
      Mailbox mailbox = sidecar.connect(new MailboxOptions().membership(false));
      mailbox.join("g");
      for (int i = 0; i < 3; i += 1) mailbox.multicast(ServiceType.FIFO, "g", bytes("m" + i));
      List<String> texts = new ArrayList<>();
      for (SpreadEvent event : mailbox) {
        texts.add(((RegularMessage) event).text());
        if (texts.size() == 3) mailbox.disconnect();
      }
      assertEquals(List.of("m0", "m1", "m2"), texts);
      SpreadException error = assertThrows(SpreadException.class, mailbox::receive);
      assertEquals("ILLEGAL_SESSION", error.code().orElseThrow());
      assertEquals(-11, error.number().orElseThrow());
    }
  }

  @Test
  void receivingWaitsForATokenThatCannotBeHad() throws Exception {
    AtomicInteger failures = new AtomicInteger();
    AtomicBoolean isSealed = new AtomicBoolean();
    Supplier<String> token =
        () -> {
          if (!isSealed.get()) return "token";
          failures.incrementAndGet();
          throw new IllegalStateException("the vault is sealed");
        };
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target).token(token))) {
      Mailbox mailbox = sidecar.connect();
      mailbox.join("g");
      isSealed.set(true);
      SpreadException error = assertThrows(SpreadException.class, () -> mailbox.multicast(ServiceType.FIFO, "g", bytes("m")));
      assertEquals(Status.Code.UNAUTHENTICATED, error.status());
      assertEquals(SpreadException.Outcome.NOT_SENT, error.outcome().orElseThrow());
      assertTrue(error.getMessage().contains("the vault is sealed"), error.getMessage());
      CompletableFuture<SpreadEvent> event = CompletableFuture.supplyAsync(mailbox::receive);
      until("receiving tries again", () -> failures.get() >= 4);
      isSealed.set(false);
      assertInstanceOf(MembershipMessage.class, event.get(15, TimeUnit.SECONDS));
      mailbox.disconnect();
    }
  }

  @Test
  void theEnvironmentNamesTheSidecar() {
    try (SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions(), Map.of("SPREAD_SIDECAR_TARGET", target))) {
      Mailbox mailbox = sidecar.connect();
      assertFalse(mailbox.privateGroup().isEmpty());
      mailbox.disconnect();
    }
  }

  @Test
  void listenersAreCalledInOrder() throws Exception {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox = sidecar.connect()) {
      List<String> received = Collections.synchronizedList(new ArrayList<>());
      CountDownLatch last = new CountDownLatch(1);
      mailbox.add(
          new AdvancedMessageListener() {
            @Override
            public void regularMessageReceived(RegularMessage message) {
              received.add(message.text());
              if (message.text().equals("last")) last.countDown();
            }

            @Override
            public void membershipMessageReceived(MembershipMessage message) {
              received.add("view of " + message.group());
            }
          });
      mailbox.join("listeners");
      mailbox.multicast(ServiceType.SAFE, "listeners", bytes("first"));
      mailbox.multicast(ServiceType.SAFE, "listeners", bytes("last"));
      assertTrue(last.await(10, TimeUnit.SECONDS));
      assertEquals(List.of("view of listeners", "first", "last"), received);
    }
  }

  @Test
  void anInterruptCancelsTheWaitAndLosesNothing() throws Exception {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox = sidecar.connect(new MailboxOptions().membership(false))) {
      mailbox.join("interrupts");
      AtomicReference<SpreadException> error = new AtomicReference<>();
      CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
      Thread waiting =
          new Thread(
              () -> {
                try {
                  mailbox.receive();
                } catch (SpreadException thrown) {
                  error.set(thrown);
                  interrupted.complete(Thread.currentThread().isInterrupted());
                }
              });
      waiting.start();
      until("it waits", () -> waiting.getState() == Thread.State.WAITING);
      waiting.interrupt();
      assertTrue(interrupted.get(10, TimeUnit.SECONDS));
      assertEquals(Status.Code.CANCELLED, error.get().status());
      mailbox.multicast(ServiceType.FIFO, "interrupts", bytes("still here"));
      assertEquals("still here", ((RegularMessage) mailbox.receive()).text());
    }
  }

  @Test
  void aSlowReaderStopsTheStream() {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox =
            sidecar.connect(new MailboxOptions().membership(false).maxBufferedEvents(10).autoReceive(true))) {
      mailbox.join("slow");
      try (Sender sender = mailbox.sender(new SenderOptions())) {
        for (int i = 0; i < 3000; i += 1)
          sender.send(OutgoingMessage.to(ServiceType.FIFO, "slow", new byte[10_000]));
        assertEquals(3000, sender.flush().accepted());
        until("all have come to the sidecar", () -> mailbox.info().lastSequence() == 3000);
        Mailbox.PollResult poll = mailbox.poll();
        assertTrue(poll.waitingEvents() > 2000, () -> "what waits must wait in the sidecar: " + poll);
        assertTrue(poll.bufferedEvents() < 1000);
        for (int i = 1; i <= 3000; i += 1) assertEquals(i, mailbox.receive().sequence());
      }
    }
  }

  @Test
  void nothingIsLeftAfterClose() {
    Set<Thread> before = threads();
    int descriptors = descriptors();
    for (int round = 0; round < 3; round += 1) {
      try (SpreadSidecar sidecar = open()) {
        Mailbox mailbox = sidecar.connect();
        mailbox.add(event -> {});
        mailbox.join("leaks");
        Sender sender = mailbox.sender(new SenderOptions());
        sender.send(OutgoingMessage.to(ServiceType.FIFO, "leaks", bytes("x")));
        sender.flush();
      }
    }
    // gRPC's timer thread, which all channels share, ends one second after the last channel.
    until(
        "threads are left: " + threads(),
        () -> threads().stream().noneMatch(thread -> !before.contains(thread) && thread.getName().contains("spread")));
    until("descriptors are left", () -> descriptors() <= descriptors + 2);
  }

  private static Set<Thread> threads() {
    return new HashSet<>(Thread.getAllStackTraces().keySet());
  }

  private static int descriptors() {
    return new File("/proc/self/fd").list().length;
  }

  @Test
  void rejectedMessagesWithoutAListenerFailTheFlushOnce() {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox = sidecar.connect()) {
      Sender sender = mailbox.sender(new SenderOptions());
      for (int i = 0; i < 3; i += 1)
        sender.send(new OutgoingMessage(ServiceType.FIFO, List.of(), bytes("x"), 0, false));
      SpreadException error = assertThrows(SpreadException.class, sender::flush);
      assertEquals("ILLEGAL_GROUP", error.reason());
      assertEquals(2, error.getSuppressed().length);
      assertEquals(3, sender.flush().decided());
      assertEquals(0, sender.finish().accepted());
    }
  }

  @Test
  void readinessIsWaitedFor() {
    try (SpreadSidecar sidecar = open()) {
      sidecar.waitForReady(Duration.ofSeconds(10), true);
      assertEquals(new VersionTriple(5, 0, 1), sidecar.version().clientProtocol());
      assertFalse(sidecar.version().sidecar().isEmpty());
    }
  }
}
