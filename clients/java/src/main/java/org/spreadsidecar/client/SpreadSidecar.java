package org.spreadsidecar.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.ClientInterceptors.CheckedForwardingClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.spreadsidecar.v1.Acknowledgement;
import org.spreadsidecar.v1.Authentication;
import org.spreadsidecar.v1.ConnectRequest;
import org.spreadsidecar.v1.GetVersionRequest;
import org.spreadsidecar.v1.IpAuthentication;
import org.spreadsidecar.v1.ListMailboxesRequest;
import org.spreadsidecar.v1.MailboxServiceGrpc;
import org.spreadsidecar.v1.NameConflictPolicy;
import org.spreadsidecar.v1.NameLossPolicy;
import org.spreadsidecar.v1.NullAuthentication;
import org.spreadsidecar.v1.OverflowPolicy;
import org.spreadsidecar.v1.QueueLimits;
import org.spreadsidecar.v1.ReconnectPolicy;
import org.spreadsidecar.v1.SoftLimit;

/** A channel to a sidecar, which opens mailboxes. It connects at the first call. */
public final class SpreadSidecar implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  /**
   * Versions of a sidecar and its daemon.
   *
   * @param sidecar the sidecar's release, such as 0.1.0
   * @param contract the package of the contract
   * @param clientProtocol the version that SP_version returns: the release of Spread whose client protocol the
   * sidecar uses
   * @param daemon the release of the default daemon; empty while the sidecar is not connected to it
   * @param daemonAddress the Spread name of the default daemon
   * @param embeddedDaemon whether the default daemon is the embedded daemon, for development and tests
   */
  public record SidecarVersion(
      String sidecar,
      String contract,
      VersionTriple clientProtocol,
      Optional<VersionTriple> daemon,
      String daemonAddress,
      boolean embeddedDaemon) {}

  private final SidecarOptions options;
  private final Connection connection;
  private final ScheduledThreadPoolExecutor timers;
  private final Rpc rpc;
  private final Channel withoutToken;
  private final Set<Mailbox> mailboxes = ConcurrentHashMap.newKeySet();
  private final boolean isPrivate;
  private boolean closed;

  /**
   * Creates a channel. The target is the environment variable SPREAD_SIDECAR_TARGET, or the default target if the
   * variable is not set.
   */
  public SpreadSidecar() {
    this(new SidecarOptions());
  }

  /** Creates a channel. Later changes of the options have no effect. */
  public SpreadSidecar(SidecarOptions options) {
    this(options, System.getenv());
  }

  SpreadSidecar(SidecarOptions given, Map<String, String> environment) {
    options = Environment.complete(given, environment);
    boolean namedByEnvironment = given.target == null && options.target != null;
    if (options.target == null) options.target = SidecarOptions.DEFAULT_TARGET;
    Target target = Target.parse(options.target, namedByEnvironment ? Environment.TARGET : "target");
    Endpoint endpoint = new Endpoint(target.inMessages(options.target), target, options.tls != null);
    isPrivate = options.tls != null || Boolean.TRUE.equals(options.insecure) || target.isOnThisMachine();
    if (options.token != null) checkTokenAllowed("token");
    timers =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(task, "spread-sidecar-timers");
              thread.setDaemon(true);
              return thread;
            });
    timers.setRemoveOnCancelPolicy(true);
    connection = Connection.open(options, target, timers);
    ManagedChannel channel = connection.channel();
    withoutToken = ClientInterceptors.intercept(channel, headers(() -> null));
    Channel calls = options.token == null ? withoutToken : ClientInterceptors.intercept(channel, headers(options.token));
    rpc = new Rpc(calls, timers, options.callTimeout, options.tokenMayChange, endpoint);
  }

  /** Opens a mailbox with the default options. */
  public Mailbox connect() {
    return connect(new MailboxOptions());
  }

  /**
   * Opens a mailbox (SP_connect). If it fails, for example with REJECT_NOT_UNIQUE or COULD_NOT_CONNECT, no mailbox
   * was opened.
   */
  public Mailbox connect(MailboxOptions mailbox) {
    return connect(mailbox, null);
  }

  /** Opens a mailbox with a timeout for this call. */
  public Mailbox connect(MailboxOptions mailbox, Duration timeout) {
    ConnectRequest.Builder request =
        ConnectRequest.newBuilder()
            .setDaemon(mailbox.spreadName)
            .setPrivateName(mailbox.privateName)
            .setPriority(mailbox.priority)
            .setMembership(mailbox.membership)
            .setEndWithConnection(Boolean.TRUE.equals(mailbox.endWithConnection));
    if (mailbox.onNameConflict == NameConflict.SUFFIX) request.setOnNameConflict(NameConflictPolicy.NAME_CONFLICT_POLICY_SUFFIX);
    if (mailbox.auth != null) request.setAuth(authentication(mailbox.auth));
    if (mailbox.lease != null) request.setLease(Errors.durationOf(mailbox.lease));
    if (mailbox.reconnect != null) request.setReconnect(reconnect(mailbox.reconnect));
    if (mailbox.queue != null) request.setQueue(queue(mailbox.queue));
    if (mailbox.acknowledgement == AcknowledgementMode.EXPLICIT)
      request.setAcknowledgement(Acknowledgement.ACKNOWLEDGEMENT_EXPLICIT);
    var answer = rpc.call(MailboxServiceGrpc.getConnectMethod(), request.build(), timeout);
    return keep(
        new Mailbox.Start(
            answer.getMailboxId(),
            answer.getPrivateGroup(),
            answer.getDaemon(),
            VersionTriple.of(answer.getDaemonVersion()),
            Errors.durationOf(answer.getLimits().getLease()),
            AcknowledgementMode.of(answer.getAcknowledgement()),
            0),
        mailbox);
  }

  /**
   * Attaches to a mailbox that this process or a different process opened; see {@link Mailbox#detach}. When the
   * returned mailbox starts to receive, it replaces the receiver that is attached.
   */
  public Mailbox attach(String mailboxId, MailboxOptions mailbox) {
    var info = Mailbox.fetch(rpc, mailboxId);
    AcknowledgementMode acknowledgement = AcknowledgementMode.of(info.getAcknowledgement());
    long given =
        acknowledgement == AcknowledgementMode.EXPLICIT
            ? info.getAcknowledgedSequence()
            : info.getDeliveredSequence();
    return keep(
        new Mailbox.Start(
            mailboxId,
            info.getPrivateGroup(),
            info.getDaemon(),
            VersionTriple.of(info.getDaemonVersion()),
            Errors.durationOf(info.getLimits().getLease()),
            acknowledgement,
            mailbox.afterSequence == null ? given : mailbox.afterSequence),
        mailbox);
  }

  /** Opens a mailbox for requests and replies, with the default options. */
  public RequestReply openRequestReply() {
    return openRequestReply(new RequestReplyOptions());
  }

  /**
   * Opens a mailbox for requests and replies. By default, the mailbox ends with its connection, so that requesters
   * learn within a second that this process has died.
   */
  public RequestReply openRequestReply(RequestReplyOptions given) {
    return openRequestReply(given, null);
  }

  /** Opens a mailbox for requests and replies, with a timeout for this call. */
  public RequestReply openRequestReply(RequestReplyOptions given, Duration timeout) {
    return new RequestReply(connect(given.mailbox.forRequestReply(), timeout), rpc, given.onEvent);
  }

  /** Returns the versions of the sidecar, the contract, Spread's client protocol and the daemon. */
  public SidecarVersion version() {
    return version(null);
  }

  private SidecarVersion version(Duration timeout) {
    var answer = rpc.call(MailboxServiceGrpc.getGetVersionMethod(), GetVersionRequest.getDefaultInstance(), timeout);
    return new SidecarVersion(
        answer.getSidecar(),
        answer.getContract(),
        VersionTriple.of(answer.getClientProtocol()),
        answer.hasDaemon() ? Optional.of(VersionTriple.of(answer.getDaemon())) : Optional.empty(),
        answer.getDaemonAddress(),
        answer.getEmbeddedDaemon());
  }

  /**
   * Returns the state and the counters of all mailboxes of the sidecar.
   *
   * @param adminToken the sidecar's admin token. The client rejects it on a channel on which it would reject the
   * client token
   */
  public List<MailboxInfo> listMailboxes(String adminToken) {
    checkTokenAllowed("adminToken");
    Channel admin = ClientInterceptors.intercept(connection.channel(), headers(() -> adminToken));
    List<MailboxInfo> mailboxes = new ArrayList<>();
    String page = "";
    do {
      ListMailboxesRequest request = ListMailboxesRequest.newBuilder().setPageToken(page).build();
      var answer = rpc.call(admin, MailboxServiceGrpc.getListMailboxesMethod(), request, null, false);
      answer.getMailboxesList().forEach(mailbox -> mailboxes.add(MailboxInfo.of(mailbox)));
      if (!page.isEmpty() && page.equals(answer.getNextPageToken()))
        throw Errors.invalidResponse("ListMailboxes", "repeats the page token of the request");
      page = answer.getNextPageToken();
    } while (!page.isEmpty());
    return mailboxes;
  }

  /**
   * Waits until the sidecar responds. Retries failed attempts. Fails with status DEADLINE_EXCEEDED after the timeout.
   * If a retry cannot help, fails immediately.
   *
   * @param daemon whether to also wait until the sidecar is connected to its default daemon
   */
  public void waitForReady(Duration timeout, boolean daemon) {
    long until = System.nanoTime() + timeout.toNanos();
    Backoff backoff = Backoff.ofReady(Backoff.RANDOM);
    String last = null;
    for (; ; ) {
      long left = until - System.nanoTime();
      if (left <= 0)
        throw Errors.timeout(
            "the sidecar at "
                + options.target
                + " was not ready within "
                + timeout.toMillis()
                + " ms: "
                + (last == null ? "no response" : last));
      try {
        SidecarVersion version = version(Duration.ofNanos(left));
        if (!daemon || version.daemon().isPresent()) return;
        last = "the sidecar is not connected to its daemon";
      } catch (SpreadException error) {
        if (!Failures.isSidecarNotReady(error)) throw error;
        // The last call can end with the wait's own deadline, which is not the reason.
        if (error.status() == Status.Code.UNAVAILABLE || last == null) last = error.getMessage();
      }
      try {
        TimeUnit.NANOSECONDS.sleep(Math.max(0, Math.min(backoff.nextNanos(), until - System.nanoTime())));
      } catch (InterruptedException e) {
        throw Errors.interrupted("interrupted while waiting for the sidecar", e);
      }
    }
  }

  /** Disconnects the mailboxes that were opened or attached over this channel, and closes the channel. */
  @Override
  public void close() {
    close(false);
  }

  /**
   * Closes the channel. Fails with the error of the first mailbox whose disconnect failed, like {@link
   * Mailbox#close}. The channel closes in any case.
   *
   * @param keepMailboxes whether to detach the mailboxes instead of ending them. They live until their lease expires
   */
  public void close(boolean keepMailboxes) {
    synchronized (this) {
      if (closed) return;
      closed = true;
    }
    SpreadException failure = null;
    for (Mailbox mailbox : mailboxes) {
      if (keepMailboxes) {
        mailbox.detach();
        continue;
      }
      try {
        mailbox.disconnect();
      } catch (SpreadException error) {
        if (failure == null && !Failures.makesDisconnectReturnFalse(error)) failure = error;
      }
    }
    rpc.close();
    connection.close();
    timers.shutdownNow();
    if (failure != null) throw failure;
  }

  private Mailbox keep(Mailbox.Start start, MailboxOptions mailboxOptions) {
    Mailbox[] self = new Mailbox[1];
    Mailbox mailbox = new Mailbox(rpc, start, mailboxOptions, () -> forget(self[0]));
    self[0] = mailbox;
    mailboxes.add(mailbox);
    return mailbox;
  }

  private void forget(Mailbox mailbox) {
    if (mailbox != null) mailboxes.remove(mailbox);
  }

  private void checkTokenAllowed(String field) {
    if (!isPrivate)
      throw Errors.option(
          field,
          "sent over TLS, a Unix socket or a loopback address, or with insecure(true)",
          field
              + " must not be sent to "
              + options.target
              + " without TLS; use TLS, a Unix socket or a loopback address, or set insecure(true) to allow this");
  }

  private ClientInterceptor headers(Supplier<String> token) {
    Map<String, String> fixed = options.headers;
    return new ClientInterceptor() {
      @Override
      public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions callOptions, Channel next) {
        return new CheckedForwardingClientCall<>(next.newCall(method, callOptions)) {
          @Override
          protected void checkedStart(Listener<A> listener, Metadata metadata) throws StatusException {
            fixed.forEach((name, value) -> metadata.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), value));
            String value = ask(token);
            if (value != null) metadata.put(AUTHORIZATION, "Bearer " + value.strip());
            delegate().start(listener, metadata);
          }
        };
      }
    };
  }

  /** The token of a call. Without a token, the call fails and is not sent. */
  private static String ask(Supplier<String> token) throws StatusException {
    try {
      return token.get();
    } catch (RuntimeException error) {
      String message = "the token is not available: " + error.getMessage();
      throw Status.UNAUTHENTICATED.withDescription(message).withCause(error).asException();
    }
  }

  private static Authentication authentication(String method) {
    Authentication.Builder auth = Authentication.newBuilder();
    return switch (method) {
      case "NULL" -> auth.setNullMethod(NullAuthentication.getDefaultInstance()).build();
      case "IP" -> auth.setIpMethod(IpAuthentication.getDefaultInstance()).build();
      default -> throw Errors.field("auth", "NULL or IP", method);
    };
  }

  private static ReconnectPolicy reconnect(ReconnectOptions options) {
    ReconnectPolicy.Builder policy =
        ReconnectPolicy.newBuilder().setEnabled(true).setQueueMulticasts(options.queueMulticasts());
    if (options.giveUpAfter() != null) policy.setGiveUpAfter(Errors.durationOf(options.giveUpAfter()));
    if (options.onNameLoss() != null)
      policy.setOnNameLoss(NameLossPolicy.forNumber(options.onNameLoss().ordinal() + 1));
    return policy.build();
  }

  private static QueueLimits queue(QueueOptions options) {
    QueueLimits.Builder limits =
        QueueLimits.newBuilder()
            .setMaxEvents(options.maxEvents())
            .setMaxBytes(options.maxBytes())
            .setReplayBytes(options.replayBytes());
    if (options.overflow() != null) limits.setOverflow(OverflowPolicy.forNumber(options.overflow().ordinal() + 1));
    if (options.softLimitFraction() != 0 || options.softLimitTime() != null) {
      SoftLimit.Builder soft = SoftLimit.newBuilder().setFraction(options.softLimitFraction());
      if (options.softLimitTime() != null) soft.setTime(Errors.durationOf(options.softLimitTime()));
      limits.setSoftLimit(soft);
    }
    return limits.build();
  }
}
