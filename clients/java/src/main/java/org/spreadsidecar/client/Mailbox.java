package org.spreadsidecar.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.spreadsidecar.client.SpreadEvent.ConnectionRestored;
import org.spreadsidecar.client.SpreadEvent.SelfLeaveMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;
import org.spreadsidecar.v1.AcknowledgeRequest;
import org.spreadsidecar.v1.DisconnectRequest;
import org.spreadsidecar.v1.GetMailboxRequest;
import org.spreadsidecar.v1.GetViewRequest;
import org.spreadsidecar.v1.JoinRequest;
import org.spreadsidecar.v1.LeaveRequest;
import org.spreadsidecar.v1.MailboxServiceGrpc;
import org.spreadsidecar.v1.MulticastRequest;
import org.spreadsidecar.v1.PollRequest;

/**
 * A connection to a Spread daemon that the sidecar owns. {@link SpreadSidecar#connect} and {@link
 * SpreadSidecar#attach} return a mailbox.
 *
 * <p>A mailbox is safe for concurrent use: for example, one thread receives while other threads send. Calls without a
 * timeout use the channel's default timeout. When a stream breaks, the client attaches again after the last event,
 * within the mailbox's lease.
 */
public final class Mailbox implements AutoCloseable, Iterable<SpreadEvent> {
  /**
   * The numbers of queued events.
   *
   * @param bufferedEvents number of events that receive returns without a call to the sidecar
   * @param waitingEvents number of queued events in the sidecar
   * @param waitingBytes size of the queued events in the sidecar. Unit: bytes
   * @param state OPEN, RECONNECTING or ENDED
   */
  public record PollResult(int bufferedEvents, long waitingEvents, long waitingBytes, String state) {}

  /**
   * The current view of a group.
   *
   * @param view the view
   * @param inTransition whether a transitional signal followed the view. A NETWORK view will follow
   */
  public record CurrentView(ViewMessage view, boolean inTransition) {}

  /**
   * The values with which {@link SpreadSidecar#attach} resumes a mailbox.
   *
   * @param mailboxId the mailbox ID. Keep it secret: its holder can use the mailbox
   * @param afterSequence sequence of the last event that the application received
   */
  public record Resumption(String mailboxId, long afterSequence) {}

  private final Rpc rpc;
  private final String id;
  private final VersionTriple daemonVersion;
  private final Duration lease;
  private final AcknowledgementMode acknowledgement;
  private final MailboxOptions options;
  private final Inbox inbox;
  private final Receiver receiver;
  private final Acknowledger acknowledger;
  private final KeepAlive keepAlive;
  private final Runnable onClosed;
  private final Set<Sender> senders = ConcurrentHashMap.newKeySet();
  private final ListenerDispatcher dispatcher;
  private volatile String privateGroup;
  private volatile String daemon;
  private final Object ending = new Object();
  private Boolean wasOpen;
  private SpreadException endFailure;
  private volatile boolean closed;

  /** The initial values of a mailbox. */
  record Start(
      String id,
      String privateGroup,
      String daemon,
      VersionTriple daemonVersion,
      Duration lease,
      AcknowledgementMode acknowledgement,
      long afterSequence) {}

  Mailbox(Rpc rpc, Start start, MailboxOptions options, Runnable onClosed) {
    this.rpc = rpc;
    this.id = start.id();
    this.privateGroup = start.privateGroup();
    this.daemon = start.daemon();
    this.daemonVersion = start.daemonVersion();
    this.lease = start.lease();
    this.acknowledgement = start.acknowledgement();
    this.options = options;
    this.onClosed = onClosed;
    this.inbox = new Inbox(options.maxBufferedEvents, options.maxBufferedBytes, start.afterSequence());
    this.acknowledger =
        acknowledgement == AcknowledgementMode.EXPLICIT && !options.manualAcknowledgement
            ? new Acknowledger(rpc, id, inbox::end)
            : null;
    this.receiver = new Receiver(rpc, inbox, id, start.afterSequence(), options, lease, this::onNotice);
    this.keepAlive =
        options.keepAlive ? new KeepAlive(rpc.timers, lease, receiver::attached, this::keepLease) : null;
    this.dispatcher = new ListenerDispatcher(this, "spread-mailbox-" + privateGroup);
    if (options.autoReceive) receiver.start();
  }

  /** The mailbox ID. Keep it secret: its holder can use the mailbox. */
  public String id() {
    return id;
  }

  /**
   * The private group from the daemon, such as {@code #alice#node1}. Only this mailbox receives messages to this
   * group. The private group can change after a {@link ConnectionRestored}.
   */
  public String privateGroup() {
    return privateGroup;
  }

  /** The Spread name of the daemon. The daemon can change after a {@link ConnectionRestored}. */
  public String daemon() {
    return daemon;
  }

  /** The release of the daemon. */
  public VersionTriple daemonVersion() {
    return daemonVersion;
  }

  /** The lease: the time that the mailbox lives without a receiver and without calls. */
  public Duration lease() {
    return lease;
  }

  /** When the sidecar may release an event. */
  public AcknowledgementMode acknowledgement() {
    return acknowledgement;
  }

  /** The sequence of the last event that the application received. 0 if none. */
  public long lastSequence() {
    return inbox.lastTaken();
  }

  /** Joins a group. The mailbox then receives the first view that contains this mailbox, as an event. */
  public void join(String group) {
    join(group, false, null);
  }

  /** Joins a group, waits for the first view that contains this mailbox, and returns the view. */
  public ViewMessage joinAndAwaitView(String group) {
    return join(group, true, null).orElseThrow();
  }

  /**
   * Joins a group (SP_join). No effect if the mailbox is already a member.
   *
   * @param awaitView whether to wait for the first view that contains this mailbox, and return the view
   * @param timeout the timeout of the call; null: the channel's default timeout
   */
  public Optional<ViewMessage> join(String group, boolean awaitView, Duration timeout) {
    JoinRequest request =
        JoinRequest.newBuilder().setMailboxId(id).setGroup(group).setAwaitView(awaitView).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getJoinMethod(), request, timeout);
    if (answer.hasView()) return Optional.of(Events.view(0, answer.getView()));
    if (awaitView) throw Errors.invalidResponse("Join", "has no view");
    return Optional.empty();
  }

  /** Joins a group without waiting. The future completes when the daemon has delivered the first view. */
  CompletableFuture<Void> joinAsync(String group, Duration timeout) {
    JoinRequest request =
        JoinRequest.newBuilder().setMailboxId(id).setGroup(group).setAwaitView(true).build();
    CompletableFuture<Void> joined = new CompletableFuture<>();
    try {
      use();
    } catch (SpreadException error) {
      joined.completeExceptionally(error);
      return joined;
    }
    rpc.begin(
        MailboxServiceGrpc.getJoinMethod(),
        request,
        timeout,
        (answer, error) -> {
          if (error != null) joined.completeExceptionally(error);
          else if (answer.hasView()) joined.complete(null);
          else joined.completeExceptionally(Errors.invalidResponse("Join", "has no view"));
        });
    return joined;
  }

  /** Leaves a group. */
  public void leave(String group) {
    leave(group, false, null);
  }

  /**
   * Leaves a group (SP_leave). No effect if the mailbox is not a member.
   *
   * @param awaitView whether to wait for the self-leave, and return it. The result is empty if the mailbox was not a
   * member
   * @param timeout the timeout of the call; null: the channel's default timeout
   */
  public Optional<SelfLeaveMessage> leave(String group, boolean awaitView, Duration timeout) {
    LeaveRequest request =
        LeaveRequest.newBuilder().setMailboxId(id).setGroup(group).setAwaitView(awaitView).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getLeaveMethod(), request, timeout);
    return answer.hasSelfLeave()
        ? Optional.of(new SelfLeaveMessage(0, answer.getSelfLeave().getGroup()))
        : Optional.empty();
  }

  /** Sends a message to a group or to a private group. Returns the size of the payload in bytes. */
  public int multicast(ServiceType serviceType, String group, byte[] payload) {
    return multicast(OutgoingMessage.to(serviceType, group, payload), null);
  }

  /**
   * Sends a message (SP_multicast). The sender does not need to be a member of the group. Returns the size of the
   * payload in bytes after the daemon connection accepted the message. The outcome of a SpreadException says whether
   * the message may have been sent.
   *
   * @param timeout the timeout of the call; null: the channel's default timeout
   */
  public int multicast(OutgoingMessage message, Duration timeout) {
    MulticastRequest request =
        MulticastRequest.newBuilder().setMailboxId(id).setMessage(message.toProto()).build();
    use();
    return rpc.call(MailboxServiceGrpc.getMulticastMethod(), request, timeout, true).getBytesSent();
  }

  /**
   * Opens a stream that sends many messages. A stream is faster than one call for each message. The messages of the
   * stream keep their order. Call {@link Sender#flush} before a call of this mailbox that must come after these
   * messages.
   */
  public Sender sender(SenderOptions senderOptions) {
    use();
    Sender sender = new Sender(rpc, id, senderOptions, this::used);
    synchronized (ending) {
      if (!closed) {
        senders.removeIf(Sender::isOver);
        senders.add(sender);
        return sender;
      }
    }
    sender.abort();
    return sender;
  }

  /** Waits for the next event without a time limit (SP_receive). The first call starts to receive. */
  public SpreadEvent receive() {
    return receive(1, -1).get(0);
  }

  /**
   * Waits for the next event. Each event arrives once and in order. After the last event, the call fails with the
   * reason why the mailbox ended. After {@link #disconnect}, the code is ILLEGAL_SESSION.
   *
   * @param timeout maximum time to wait. After this time, the call fails with status DEADLINE_EXCEEDED
   */
  public SpreadEvent receive(Duration timeout) {
    return receive(1, Math.max(0, timeout.toNanos())).get(0);
  }

  /**
   * Waits for the next event, and returns it with all other events that have arrived. Use it for high rates.
   *
   * @param most maximum number of events, at least 1
   */
  public List<SpreadEvent> receiveMany(int most) {
    if (most < 1) throw Errors.field("most", "1 or more", most);
    return receive(most, -1);
  }

  private List<SpreadEvent> receive(int most, long nanos) {
    receiver.start();
    if (acknowledger != null) acknowledger.request(inbox.lastTaken());
    List<SpreadEvent> events = inbox.take(most, nanos);
    for (SpreadEvent event : events)
      if (event instanceof ConnectionRestored restored) {
        privateGroup = restored.privateGroup();
        daemon = restored.daemon();
      }
    return events;
  }

  /**
   * Iterates over the mailbox's events until the mailbox disconnects. The end of the loop does not end the mailbox.
   */
  @Override
  public Iterator<SpreadEvent> iterator() {
    return new Iterator<>() {
      private SpreadEvent next;

      @Override
      public boolean hasNext() {
        if (next != null) return true;
        try {
          next = receive();
          return true;
        } catch (SpreadException error) {
          if (inbox.exhausted()) return false;
          throw error;
        }
      }

      @Override
      public SpreadEvent next() {
        if (!hasNext()) throw new NoSuchElementException("the mailbox is disconnected");
        SpreadEvent event = next;
        next = null;
        return event;
      }
    };
  }

  /**
   * Adds a listener. A thread of the mailbox passes each event to all listeners. The thread ends with the mailbox.
   * Use either listeners or the receive methods, not both.
   */
  public void add(BasicMessageListener listener) {
    dispatcher.add(listener);
  }

  /** Removes a listener. */
  public void remove(BasicMessageListener listener) {
    dispatcher.remove(listener);
  }

  /** Counts the queued events without receiving them (SP_poll). */
  public PollResult poll() {
    PollRequest request = PollRequest.newBuilder().setMailboxId(id).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getPollMethod(), request, null);
    return new PollResult(
        inbox.size(), answer.getWaitingEvents(), answer.getWaitingBytes(), MailboxInfo.stateOf(answer.getState()));
  }

  /** Acknowledges all events that the application has received, so that the sidecar releases them. */
  public long acknowledge() {
    return acknowledge(inbox.lastTaken());
  }

  /**
   * Acknowledges all events up to and including {@code upTo}, so that the sidecar releases them. Required with manual
   * acknowledgement. Returns the sequence of the last acknowledged event.
   */
  public long acknowledge(long upTo) {
    AcknowledgeRequest request =
        AcknowledgeRequest.newBuilder().setMailboxId(id).setUpToSequence(upTo).build();
    use();
    return rpc.call(MailboxServiceGrpc.getAcknowledgeMethod(), request, null).getAcknowledgedSequence();
  }

  /** Returns the current view of a group of this mailbox, without waiting for a change. */
  public CurrentView view(String group) {
    GetViewRequest request = GetViewRequest.newBuilder().setMailboxId(id).setGroup(group).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getGetViewMethod(), request, null);
    if (!answer.hasView()) throw Errors.invalidResponse("GetView", "has no view");
    return new CurrentView(Events.view(0, answer.getView()), answer.getInTransition());
  }

  /** Returns the state and the counters of the mailbox in the sidecar. */
  public MailboxInfo info() {
    use();
    return MailboxInfo.of(fetch(rpc, id));
  }

  /** Fetches state and counters of a mailbox. */
  static org.spreadsidecar.v1.Mailbox fetch(Rpc rpc, String id) {
    GetMailboxRequest request = GetMailboxRequest.newBuilder().setMailboxId(id).build();
    var answer = rpc.call(MailboxServiceGrpc.getGetMailboxMethod(), request, null);
    if (!answer.hasMailbox()) throw Errors.invalidResponse("GetMailbox", "has no mailbox");
    return answer.getMailbox();
  }

  /** Ends the mailbox. */
  public boolean disconnect() {
    return disconnect(false, false);
  }

  /**
   * Ends the mailbox (SP_disconnect). The application can still receive the events that arrived before the call. The
   * client releases its resources even if the call fails. In that case, the sidecar ends the mailbox when the lease
   * expires. A second call has the result of the first call.
   *
   * @param leaveGroupsFirst whether to leave all groups first, so that other members see LEAVE instead of DISCONNECT
   * @param abort whether to close the daemon connection without a disconnect message (SP_kill), for failure tests
   * @return true if this call ended the mailbox. False if the mailbox had already ended, or if the sidecar is
   * shutting down or unreachable
   */
  public boolean disconnect(boolean leaveGroupsFirst, boolean abort) {
    synchronized (ending) {
      if (endFailure != null) throw endFailure.again();
      if (wasOpen != null) return wasOpen;
      DisconnectRequest request =
          DisconnectRequest.newBuilder()
              .setMailboxId(id)
              .setLeaveGroupsFirst(leaveGroupsFirst)
              .setAbort(abort)
              .build();
      try {
        wasOpen = rpc.call(MailboxServiceGrpc.getDisconnectMethod(), request, null).getWasOpen();
        receiver.finish();
        return wasOpen;
      } catch (SpreadException error) {
        SpreadException ended = inbox.failure();
        boolean isInterrupted = error.status() == Status.Code.CANCELLED && Thread.currentThread().isInterrupted();
        boolean isKnownToHaveEnded = ended != null && !Failures.endsStreamOnly(ended);
        // C3.
        if (isKnownToHaveEnded || (Failures.makesDisconnectReturnFalse(error) && !isInterrupted)) return wasOpen = false;
        endFailure = error;
        throw error;
      } finally {
        receiver.close();
        releaseResources();
      }
    }
  }

  /** Disconnects the mailbox. Does not throw if the thread is interrupted. */
  @Override
  public void close() {
    try {
      disconnect();
    } catch (SpreadException error) {
      if (!Failures.makesDisconnectReturnFalse(error)) throw error;
    }
  }

  /**
   * Detaches from the mailbox without ending it. To resume the mailbox, pass the returned values to {@link
   * SpreadSidecar#attach} within the lease. Another process can do this too.
   */
  public Resumption detach() {
    synchronized (ending) {
      // No mailbox is left to disconnect.
      if (wasOpen == null && endFailure == null) wasOpen = false;
      receiver.close();
      releaseResources();
    }
    return new Resumption(id, inbox.lastTaken());
  }

  private void releaseResources() {
    if (closed) return;
    closed = true;
    stopBackground();
    senders.forEach(Sender::abort);
    senders.clear();
    onClosed.run();
  }

  /** Stops all background work of the mailbox. */
  private void stopBackground() {
    if (acknowledger != null) acknowledger.close();
    if (keepAlive != null) keepAlive.close();
  }

  private void onNotice(Notice notice, String group) {
    if (group != null) privateGroup = group;
    if (notice instanceof Notice.Ended ended
        && ended.error().isPresent()
        && !Failures.endsStreamOnly(ended.error().get())) stopBackground();
    options.onNotice.accept(notice);
  }

  private void use() {
    if (closed) throw Errors.disconnected();
    used();
  }

  private void used() {
    if (keepAlive != null) keepAlive.used();
  }

  private void keepLease() {
    PollRequest request = PollRequest.newBuilder().setMailboxId(id).build();
    // K3.
    rpc.begin(MailboxServiceGrpc.getPollMethod(), request, error -> {});
  }
}
