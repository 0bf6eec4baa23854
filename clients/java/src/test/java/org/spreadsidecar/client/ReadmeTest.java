package org.spreadsidecar.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;

/** The README's snippets are regions of tested code: of this file, which runs them, and of the examples. */
@Timeout(60)
class ReadmeTest {
  private final String target = System.getenv().getOrDefault("SPREAD_SIDECAR_TARGET", "");

  private SpreadSidecar open() {
    assumeTrue(!target.isEmpty(), "needs a sidecar: its target in SPREAD_SIDECAR_TARGET");
    return new SpreadSidecar(new SidecarOptions().target(target));
  }

  @Test
  void ready() {
    assumeTrue(!target.isEmpty(), "needs a sidecar: its target in SPREAD_SIDECAR_TARGET");
    // region ready
    SpreadSidecar sidecar = new SpreadSidecar(new SidecarOptions().target(target));
    sidecar.waitForReady(Duration.ofSeconds(10), true);
    // endregion
    sidecar.close();
  }

  @Test
  void resume() {
    try (SpreadSidecar sidecar = open()) {
      Mailbox mailbox = sidecar.connect(new MailboxOptions().membership(false));
      mailbox.join("resume");
      mailbox.multicast(ServiceType.AGREED, "resume", "one".getBytes(UTF_8));
      mailbox.multicast(ServiceType.AGREED, "resume", "two".getBytes(UTF_8));
      mailbox.receive();
      // region resume
      Mailbox.Resumption where = mailbox.detach();
      // … within the lease, in any process:
      Mailbox again =
          sidecar.attach(where.mailboxId(), new MailboxOptions().afterSequence(where.afterSequence()));
      // endregion
      assertEquals("two", ((RegularMessage) again.receive()).text());
    }
  }

  @Test
  void errors() {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox = sidecar.connect()) {
      List<String> said = new ArrayList<>();
      // region errors
      try {
        mailbox.multicast(ServiceType.SAFE, "no spaces", new byte[0]);
      } catch (SpreadException error) {
        said.add(error.reason() + " " + error.number() + " " + error.metadata().get("field"));
        if (error.outcome().equals(java.util.Optional.of(SpreadException.Outcome.UNKNOWN)))
          said.add("it may have been sent all the same");
      }
      // endregion
      assertEquals(List.of("ILLEGAL_GROUP OptionalInt[-14] groups[0]"), said);
    }
  }

  @Test
  void headers() {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox = sidecar.connect(new MailboxOptions().membership(false))) {
      mailbox.join("headers");
      // region headers
      OutgoingMessage order =
          OutgoingMessage.to(ServiceType.AGREED, "headers", "{\"n\":1}".getBytes(UTF_8))
              .withHeaders(Map.of(Headers.CONTENT_TYPE, "application/json"));
      mailbox.multicast(order, null);
      if (mailbox.receive() instanceof RegularMessage message)
        System.out.println(message.headers().get(Headers.CONTENT_TYPE) + ": " + message.text());
      // endregion
      try (Sender sender = mailbox.sender(new SenderOptions())) {
        sender.send(order);
      }
      RegularMessage message = (RegularMessage) mailbox.receive();
      assertEquals(Map.of("content-type", "application/json"), message.headers());
    }
  }

  @Test
  void sending() {
    try (SpreadSidecar sidecar = open();
        Mailbox mailbox = sidecar.connect()) {
      // region sending
      SenderOptions options =
          new SenderOptions().onRefused(refusal -> System.err.println(refusal.index() + ": " + refusal.error()));
      try (Sender sender = mailbox.sender(options)) {
        for (int i = 0; i < 10_000; i += 1)
          sender.send(OutgoingMessage.to(ServiceType.FIFO, "cats", ("cat " + i).getBytes(UTF_8)));
        Sender.Progress progress = sender.flush(); // waits until each message is accepted or rejected
        System.out.println(progress.accepted() + " of " + progress.sent());
      }
      // endregion
    }
  }

  @Test
  void security() throws IOException {
    Path folder = Files.createTempDirectory("readme");
    Path token = Files.writeString(folder.resolve("token"), "secret\n");
    // region security
    SidecarOptions options =
        new SidecarOptions()
            .target("unix:/run/spread-sidecar.sock")
            .token(
                () -> {
                  try {
                    return Files.readString(token); // called before each call, so that the token can change
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                });
    // endregion
    new SpreadSidecar(options).close();
    Files.delete(token);
    Files.delete(folder);
  }

  @Test
  void everySnippetIsTestedCode() throws IOException {
    List<String> regions = new ArrayList<>();
    try (Stream<Path> examples = Files.list(Path.of("examples"))) {
      for (Path file : examples.toList()) regions.addAll(regionsOf(file));
    }
    regions.addAll(regionsOf(Path.of("src/test/java/org/spreadsidecar/client/ReadmeTest.java")));
    Matcher snippet = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(Path.of("README.md")));
    Set<String> unknown = new TreeSet<>();
    int count = 0;
    while (snippet.find()) {
      count += 1;
      if (!regions.contains(snippet.group(1))) unknown.add(snippet.group(1));
    }
    assertTrue(count >= 6, "the README has snippets");
    assertEquals(Set.of(), unknown);
  }

  private static List<String> regionsOf(Path file) throws IOException {
    Matcher region =
        Pattern.compile("^ *// region \\w+\n(.*?)^ *// endregion", Pattern.DOTALL | Pattern.MULTILINE)
            .matcher(Files.readString(file));
    List<String> regions = new ArrayList<>();
    // An empty last line would count as a line without indentation.
    while (region.find()) regions.add(region.group(1).stripTrailing().stripIndent() + "\n");
    return regions;
  }
}
