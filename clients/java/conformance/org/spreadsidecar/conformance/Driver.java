package org.spreadsidecar.conformance;

import static org.spreadsidecar.conformance.Protocol.flag;
import static org.spreadsidecar.conformance.Protocol.number;
import static org.spreadsidecar.conformance.Protocol.ordered;
import static org.spreadsidecar.conformance.Protocol.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import io.grpc.Status;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.spreadsidecar.client.AcknowledgementMode;
import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxInfo;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.NameConflict;
import org.spreadsidecar.client.OutgoingMessage;
import org.spreadsidecar.client.QueueOptions;
import org.spreadsidecar.client.ReconnectOptions;
import org.spreadsidecar.client.Sender;
import org.spreadsidecar.client.SenderOptions;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadException;
import org.spreadsidecar.client.SpreadSidecar;
import org.spreadsidecar.client.TlsOptions;
import org.spreadsidecar.conformance.Protocol.DriverException;
import org.spreadsidecar.conformance.Protocol.Op;

/** The conformance driver of the Java client, on its public API. */
public final class Driver {
  private record OpenMailbox(Mailbox mailbox, List<Map<String, Object>> notices) {}

  private record OpenSender(Sender sender, List<Map<String, Object>> refusals) {}

  private final Map<String, SpreadSidecar> sidecars = new ConcurrentHashMap<>();
  private final Map<String, OpenMailbox> mailboxes = new ConcurrentHashMap<>();
  private final Map<String, OpenSender> senders = new ConcurrentHashMap<>();

  private Driver() {}

  /** Reads requests until the end of standard input. */
  public static void main(String[] args) throws Exception {
    Driver driver = new Driver();
    new Protocol().serve(driver.ops(), System.getProperty("client.version"));
    for (SpreadSidecar sidecar : driver.sidecars.values()) {
      try {
        sidecar.close();
      } catch (SpreadException error) {
        // The caller has closed the input and does not need the error.
      }
    }
    System.exit(0);
  }

  private Map<String, Op> ops() {
    Map<String, Op> ops = new HashMap<>();
    ops.put("open", this::open);
    ops.put(
        "waitForReady",
        args -> {
          sidecar(args).waitForReady(Duration.ofMillis(number(args, "timeoutMs", 30_000)), flag(args, "daemon", false));
          return null;
        });
    ops.put("version", this::version);
    ops.put(
        "list",
        args ->
            ordered(
                "privateGroups",
                sidecar(args).listMailboxes(text(args, "token", "")).stream().map(MailboxInfo::privateGroup).toList()));
    ops.put(
        "closeSidecar",
        args -> {
          SpreadSidecar sidecar = sidecar(args);
          sidecars.remove(text(args, "sidecar", ""));
          sidecar.close();
          return null;
        });
    ops.put("connect", this::connect);
    ops.put("attach", this::attach);
    ops.put(
        "detach",
        args -> {
          Mailbox.Resumption resumption = mailbox(args).detach();
          return ordered("mailboxId", resumption.mailboxId(), "afterSequence", resumption.afterSequence());
        });
    ops.put(
        "disconnect",
        args ->
            ordered("wasOpen", mailbox(args).disconnect(flag(args, "leaveGroupsFirst", false), flag(args, "abort", false))));
    ops.put("exitMailbox", args -> exit(mailbox(args), flag(args, "receives", false) ? mailbox(args) : null));
    ops.put(
        "exitSidecar",
        args -> exit(sidecar(args), args.has("receivesFrom") ? of(mailboxes, "receivesFrom", args).mailbox() : null));
    ops.put(
        "join",
        args ->
            ordered(
                "view",
                mailbox(args)
                    .join(text(args, "group", ""), flag(args, "awaitView", false), timeout(args))
                    .map(Plain::event)
                    .orElse(null)));
    ops.put(
        "leave",
        args ->
            ordered(
                "selfLeave",
                mailbox(args)
                    .leave(text(args, "group", ""), flag(args, "awaitView", false), timeout(args))
                    .map(Plain::event)
                    .orElse(null)));
    ops.put("multicast", args -> ordered("bytesSent", mailbox(args).multicast(message(args), timeout(args))));
    ops.put("receive", this::receive);
    ops.put(
        "poll",
        args -> {
          Mailbox.PollResult result = mailbox(args).poll();
          return ordered(
              "bufferedEvents", result.bufferedEvents(), "waitingEvents", result.waitingEvents(),
              "waitingBytes", result.waitingBytes(), "state", result.state());
        });
    ops.put(
        "acknowledge",
        args ->
            ordered(
                "acknowledgedSequence",
                args.has("sequence")
                    ? mailbox(args).acknowledge(number(args, "sequence", 0))
                    : mailbox(args).acknowledge()));
    ops.put(
        "view",
        args -> {
          Mailbox.CurrentView view = mailbox(args).view(text(args, "group", ""));
          return ordered("view", Plain.event(view.view()), "inTransition", view.inTransition());
        });
    ops.put("info", this::info);
    ops.put(
        "state",
        args -> ordered("privateGroup", mailbox(args).privateGroup(), "lastSequence", mailbox(args).lastSequence()));
    ops.put("notices", args -> ordered("notices", opened(args).notices()));
    ops.put("openSender", this::openSender);
    ops.put(
        "send",
        args -> {
          OutgoingMessage message = message(args);
          for (long i = number(args, "times", 1); i > 0; i -= 1) sender(args).sender().send(message);
          return null;
        });
    ops.put("flush", args -> progress(sender(args).sender().flush(timeout(args))));
    ops.put(
        "senderState",
        args -> {
          OpenSender open = sender(args);
          Map<String, Object> state = progress(open.sender().progress());
          state.put("undecided", open.sender().undecided().size());
          state.put("refusals", open.refusals());
          return state;
        });
    ops.put("closeSender", args -> progress(sender(args).sender().finish()));
    ops.put(
        "resources",
        args ->
            ordered(
                "threads", Thread.activeCount(), "descriptors", new File("/proc/self/fd").list().length, "tasks", null));
    RequestReplyOps.add(ops, args -> sidecar(args));
    ops.put("benchThroughput", Bench::throughput);
    ops.put("benchRoundTrip", Bench::roundTrip);
    return ops;
  }

  /** Leaves a try-with-resources statement. Its block receives an event if there is a mailbox. */
  private static Object exit(AutoCloseable closeable, Mailbox receivesFrom) throws Exception {
    try (closeable) {
      if (receivesFrom != null) receivesFrom.receive();
    } catch (SpreadException error) {
      if (error.getSuppressed().length > 0) throw new DriverException("the exit failed: " + error.getSuppressed()[0]);
      throw error;
    }
    return null;
  }

  private Object open(JsonObject args) {
    SidecarOptions options = new SidecarOptions().target(text(args, "target", ""));
    if (args.has("tls")) {
      JsonObject tls = args.getAsJsonObject("tls");
      options.tls(new TlsOptions(pem(tls, "ca"), pem(tls, "cert"), pem(tls, "key")));
    }
    if (args.has("token")) options.token(text(args, "token", ""));
    options.insecure(flag(args, "insecure", false));
    if (args.has("callTimeoutMs")) options.callTimeout(Duration.ofMillis(number(args, "callTimeoutMs", 0)));
    sidecars.put(text(args, "sidecar", ""), new SpreadSidecar(options));
    return null;
  }

  private static byte[] pem(JsonObject tls, String name) {
    String text = text(tls, name, null);
    return text == null ? null : text.getBytes(StandardCharsets.US_ASCII);
  }

  private Object version(JsonObject args) {
    SpreadSidecar.SidecarVersion version = sidecar(args).version();
    return ordered(
        "sidecar", version.sidecar(), "contract", version.contract(),
        "clientProtocol", Plain.version(version.clientProtocol()),
        "daemon", version.daemon().map(Plain::version).orElse(null),
        "daemonAddress", version.daemonAddress(), "embeddedDaemon", version.embeddedDaemon());
  }

  private Object connect(JsonObject args) {
    List<Map<String, Object>> notices = new CopyOnWriteArrayList<>();
    return keep(args, sidecar(args).connect(options(args, notices), timeout(args)), notices);
  }

  private Object attach(JsonObject args) {
    List<Map<String, Object>> notices = new CopyOnWriteArrayList<>();
    MailboxOptions options = options(args, notices);
    if (args.has("afterSequence")) options.afterSequence(number(args, "afterSequence", 0));
    return keep(args, sidecar(args).attach(text(args, "mailboxId", ""), options), notices);
  }

  private Object keep(JsonObject args, Mailbox mailbox, List<Map<String, Object>> notices) {
    mailboxes.put(text(args, "mailbox", ""), new OpenMailbox(mailbox, notices));
    return ordered(
        "mailboxId", mailbox.id(), "privateGroup", mailbox.privateGroup(), "daemon", mailbox.daemon(),
        "daemonVersion", Plain.version(mailbox.daemonVersion()), "leaseMs", mailbox.lease().toMillis(),
        "acknowledgement", mailbox.acknowledgement().name());
  }

  private static MailboxOptions options(JsonObject args, List<Map<String, Object>> notices) {
    MailboxOptions options =
        new MailboxOptions()
            .spreadName(text(args, "spreadName", ""))
            .privateName(text(args, "privateName", ""))
            .onNameConflict(NameConflict.valueOf(text(args, "onNameConflict", "FAIL")))
            .priority((int) number(args, "priority", 0))
            .membership(flag(args, "membership", true))
            .auth(text(args, "auth", null))
            .acknowledgement(AcknowledgementMode.valueOf(text(args, "acknowledgement", "AUTO")))
            .manualAcknowledgement(flag(args, "manualAcknowledgement", false))
            .autoReceive(flag(args, "autoReceive", false))
            .keepAlive(flag(args, "keepAlive", true))
            .maxOutstandingEvents(number(args, "maxOutstandingEvents", 0))
            .maxOutstandingBytes(number(args, "maxOutstandingBytes", 0))
            .onNotice(notice -> notices.add(Plain.notice(notice)));
    if (args.has("leaseMs")) options.lease(Duration.ofMillis(number(args, "leaseMs", 0)));
    if (args.has("maxBufferedEvents")) options.maxBufferedEvents((int) number(args, "maxBufferedEvents", 0));
    if (args.has("maxBufferedBytes")) options.maxBufferedBytes(number(args, "maxBufferedBytes", 0));
    if (args.has("heartbeatIntervalMs"))
      options.heartbeatInterval(Duration.ofMillis(number(args, "heartbeatIntervalMs", 0)));
    if (args.has("reconnect")) options.reconnect(reconnect(args.get("reconnect")));
    if (args.has("queue")) options.queue(queue(args.getAsJsonObject("queue")));
    return options;
  }

  private static ReconnectOptions reconnect(JsonElement given) {
    if (given.isJsonPrimitive()) return given.getAsBoolean() ? ReconnectOptions.DEFAULT : null;
    JsonObject wish = given.getAsJsonObject();
    String loss = text(wish, "onNameLoss", null);
    return new ReconnectOptions(
        wish.has("giveUpAfterMs") ? Duration.ofMillis(number(wish, "giveUpAfterMs", 0)) : null,
        loss == null ? null : ReconnectOptions.NameLoss.valueOf(loss),
        flag(wish, "queueMulticasts", false));
  }

  private static QueueOptions queue(JsonObject wish) {
    JsonObject soft = wish.has("softLimit") ? wish.getAsJsonObject("softLimit") : new JsonObject();
    String overflow = text(wish, "overflow", null);
    return new QueueOptions(
        number(wish, "maxEvents", 0),
        number(wish, "maxBytes", 0),
        number(wish, "replayBytes", 0),
        overflow == null ? null : QueueOptions.Overflow.valueOf(overflow),
        soft.has("fraction") ? soft.get("fraction").getAsDouble() : 0,
        soft.has("timeMs") ? Duration.ofMillis(number(soft, "timeMs", 0)) : null);
  }

  private Object receive(JsonObject args) {
    Mailbox mailbox = mailbox(args);
    long count = number(args, "count", 1);
    long until = System.nanoTime() + Duration.ofMillis(number(args, "timeoutMs", 0)).toNanos();
    List<Map<String, Object>> events = new ArrayList<>();
    Map<String, Object> end = null;
    boolean timedOut = false;
    while (events.size() < count && end == null && !timedOut) {
      try {
        Duration left = Duration.ofNanos(Math.max(0, until - System.nanoTime()));
        events.add(Plain.event(mailbox.receive(left)));
      } catch (SpreadException error) {
        if (Thread.interrupted()) throw error;
        if (error.status() == Status.Code.DEADLINE_EXCEEDED && error.getCause() == null) timedOut = true;
        else {
          end = Protocol.errorOf(error);
          end.remove("kind");
        }
      }
    }
    return ordered("events", events, "timedOut", timedOut, "end", end);
  }

  private Object info(JsonObject args) {
    MailboxInfo info = mailbox(args).info();
    return ordered(
        "privateGroup", info.privateGroup(), "state", info.state(), "daemon", info.daemon(),
        "membership", info.membership(), "acknowledgement", info.acknowledgement().name(),
        "groups", info.groups(), "receiverAttached", info.receiverAttached(), "lastSequence", info.lastSequence(),
        "deliveredSequence", info.deliveredSequence(), "acknowledgedSequence", info.acknowledgedSequence(),
        "waitingEvents", info.waitingEvents(), "waitingBytes", info.waitingBytes(),
        "messagesSent", info.messagesSent(), "payloadBytesSent", info.payloadBytesSent());
  }

  private Object openSender(JsonObject args) {
    List<Map<String, Object>> refusals = new CopyOnWriteArrayList<>();
    SenderOptions options = new SenderOptions();
    if (!args.has("callback") || args.get("callback").getAsBoolean())
      options.onRefused(
          refusal -> refusals.add(ordered("index", refusal.index(), "error", Protocol.errorOf(refusal.error()))));
    if (args.has("maxInFlightMessages")) options.maxInFlightMessages((int) number(args, "maxInFlightMessages", 0));
    if (args.has("maxInFlightBytes")) options.maxInFlightBytes(number(args, "maxInFlightBytes", 0));
    if (args.has("maxBatchBytes")) options.maxBatchBytes(number(args, "maxBatchBytes", 0));
    senders.put(text(args, "sender", ""), new OpenSender(mailbox(args).sender(options), refusals));
    return null;
  }

  private static OutgoingMessage message(JsonObject args) {
    List<String> groups = new ArrayList<>();
    args.getAsJsonArray("groups").forEach(group -> groups.add(group.getAsString()));
    return new OutgoingMessage(
        ServiceType.valueOf(text(args, "serviceType", "AGREED")),
        groups,
        Base64.getDecoder().decode(text(args, "payload", "")),
        (int) number(args, "messageType", 0),
        flag(args, "selfDiscard", false),
        headers(args));
  }

  static Map<String, String> headers(JsonObject args) {
    Map<String, String> headers = new HashMap<>();
    if (args.has("headers"))
      args.getAsJsonObject("headers").asMap().forEach((name, value) -> headers.put(name, value.getAsString()));
    return headers;
  }

  private static Map<String, Object> progress(Sender.Progress progress) {
    return ordered("sent", progress.sent(), "decided", progress.decided(), "accepted", progress.accepted());
  }

  private static Duration timeout(JsonObject args) {
    return args.has("timeoutMs") ? Duration.ofMillis(number(args, "timeoutMs", 0)) : null;
  }

  private SpreadSidecar sidecar(JsonObject args) {
    return of(sidecars, "sidecar", args);
  }

  private OpenMailbox opened(JsonObject args) {
    return of(mailboxes, "mailbox", args);
  }

  private Mailbox mailbox(JsonObject args) {
    return opened(args).mailbox();
  }

  private OpenSender sender(JsonObject args) {
    return of(senders, "sender", args);
  }

  static <T> T of(Map<String, T> things, String what, JsonObject args) {
    T thing = things.get(text(args, what, ""));
    if (thing == null) throw new DriverException("no " + what + " is called " + text(args, what, ""));
    return thing;
  }
}
