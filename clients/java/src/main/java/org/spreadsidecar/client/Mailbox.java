package org.spreadsidecar.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
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
 * A connection to a Spread daemon, made by {@link SpreadSidecar#connect} and {@link SpreadSidecar#attach}.
 *
 * <p>Several threads may use it at once, such as one that receives while others send. Calls without a timeout take the channel's
 * default. A stream to the sidecar that breaks is restored behind the last event, for as long as the mailbox's lease.
 */
public final class Mailbox implements AutoCloseable, Iterable<SpreadEvent> {
  /**
   * What waits to be received.
   *
   * @param bufferedEvents events that receive gives without asking the sidecar
   * @param waitingEvents events that wait in the sidecar
   * @param waitingBytes their bytes
   * @param state OPEN, RECONNECTING or ENDED
   */
  public record PollResult(int bufferedEvents, long waitingEvents, long waitingBytes, String state) {}

  /**
   * A group's current view.
   *
   * @param view the view
   * @param inTransition a transitional signal has come after it: a NETWORK view will follow
   */
  public record CurrentView(ViewMessage view, boolean inTransition) {}

  /**
   * What {@link SpreadSidecar#attach} needs to go on where this object stopped.
   *
   * @param mailboxId whoever has it owns the mailbox: keep it as a secret
   * @param afterSequence the last event that was taken
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

  /** What a mailbox begins with. */
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
        options.keepAlive ? new KeepAlive(rpc.timers, lease, receiver::attached, this::ping) : null;
    this.dispatcher = new ListenerDispatcher(this, "spread-mailbox-" + privateGroup);
    if (options.autoReceive) receiver.start();
  }

  /** Whoever has it owns the mailbox: keep it as a secret. */
  public String id() {
    return id;
  }

  /**
   * The private group that the daemon gave, such as {@code #alice#node1}: messages to it reach this mailbox alone. May be another
   * after a {@link ConnectionRestored}.
   */
  public String privateGroup() {
    return privateGroup;
  }

  /** The daemon that it was connected to, as a spread name. */
  public String daemon() {
    return daemon;
  }

  /** The daemon's release. */
  public VersionTriple daemonVersion() {
    return daemonVersion;
  }

  /** How long the mailbox lives while nothing uses it. */
  public Duration lease() {
    return lease;
  }

  /** When the sidecar may discard an event. */
  public AcknowledgementMode acknowledgement() {
    return acknowledgement;
  }

  /** The sequence of the last event that the application took; 0 if none. */
  public long lastSequence() {
    return inbox.lastTaken();
  }

  /** Joins a group. The view that shows this mailbox as a member comes as an event. */
  public void join(String group) {
    join(group, false, null);
  }

  /** Joins a group, and returns the view that shows this mailbox as a member when it is there. */
  public ViewMessage joinAndAwaitView(String group) {
    return join(group, true, null).orElseThrow();
  }

  /**
   * Joins a group (SP_join). Joining one that the mailbox is in changes nothing.
   *
   * @param awaitView answer only when the view is there, and return it
   * @param timeout null: the channel's
   */
  public Optional<ViewMessage> join(String group, boolean awaitView, Duration timeout) {
    JoinRequest request =
        JoinRequest.newBuilder().setMailboxId(id).setGroup(group).setAwaitView(awaitView).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getJoinMethod(), request, timeout);
    return answer.hasView() ? Optional.of(Events.view(0, answer.getView())) : Optional.empty();
  }

  /** Leaves a group. */
  public void leave(String group) {
    leave(group, false, null);
  }

  /**
   * Leaves a group (SP_leave). Leaving one that the mailbox is not in changes nothing.
   *
   * @param awaitView answer only when the self-leave is there, and return it, unless the mailbox was not in the group
   * @param timeout null: the channel's
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

  /** Sends a message to a group, or to a private group; returns the bytes sent. */
  public int multicast(ServiceType serviceType, String group, byte[] payload) {
    return multicast(OutgoingMessage.to(serviceType, group, payload), null);
  }

  /**
   * Sends a message (SP_multicast). Need not be a member. Returns the bytes of the payload, when the daemon's connection took it;
   * the outcome of a failure tells whether the message may have been sent all the same.
   *
   * @param timeout null: the channel's
   */
  public int multicast(OutgoingMessage message, Duration timeout) {
    MulticastRequest request =
        MulticastRequest.newBuilder().setMailboxId(id).setMessage(message.toProto()).build();
    use();
    return rpc.call(MailboxServiceGrpc.getMulticastMethod(), request, timeout, true).getBytesSent();
  }

  /**
   * A stream for many messages, for rates that one call a message can't reach. Its messages keep their order; towards other calls
   * of this mailbox they do after {@link Sender#flush}.
   */
  public Sender sender(SenderOptions senderOptions) {
    use();
    Sender sender = new Sender(rpc, id, senderOptions, this::used);
    synchronized (ending) {
      if (!closed) {
        senders.add(sender);
        return sender;
      }
    }
    sender.abort();
    return sender;
  }

  /** The next event, waiting for it as long as it takes (SP_receive). The first call begins to receive. */
  public SpreadEvent receive() {
    return receive(1, -1).get(0);
  }

  /**
   * The next event, waiting for it if need be. Each event comes once and in order. Fails after the last event with the reason why
   * the mailbox ended; after {@link #disconnect} with code ILLEGAL_SESSION.
   *
   * @param timeout how long to wait; then: status DEADLINE_EXCEEDED
   */
  public SpreadEvent receive(Duration timeout) {
    return receive(1, Math.max(0, timeout.toNanos())).get(0);
  }

  /**
   * The next event, waiting for it if need be, and behind it those that have come already: for high rates.
   *
   * @param most at most so many, at least 1
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

  /** The mailbox's events, until it is disconnected. Leaving the loop leaves the mailbox as it is. */
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
   * Adds a listener. A thread of the mailbox passes each event to all listeners, and ends with the mailbox. An application uses
   * listeners or receives by itself, not both.
   */
  public void add(BasicMessageListener listener) {
    dispatcher.add(listener);
  }

  /** Removes a listener. */
  public void remove(BasicMessageListener listener) {
    dispatcher.remove(listener);
  }

  /** Counts what waits, without taking it (SP_poll). */
  public PollResult poll() {
    PollRequest request = PollRequest.newBuilder().setMailboxId(id).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getPollMethod(), request, null);
    return new PollResult(
        inbox.size(), answer.getWaitingEvents(), answer.getWaitingBytes(), MailboxInfo.stateOf(answer.getState()));
  }

  /** Lets the sidecar forget every event up to the last one that was taken. */
  public long acknowledge() {
    return acknowledge(inbox.lastTaken());
  }

  /**
   * Lets the sidecar forget every event up to and including this one. Needed with manual acknowledgement. Returns the last
   * acknowledged event now.
   */
  public long acknowledge(long upTo) {
    AcknowledgeRequest request =
        AcknowledgeRequest.newBuilder().setMailboxId(id).setUpToSequence(upTo).build();
    use();
    return rpc.call(MailboxServiceGrpc.getAcknowledgeMethod(), request, null).getAcknowledgedSequence();
  }

  /** The current view of a group that the mailbox is in, without waiting for a change. */
  public CurrentView view(String group) {
    GetViewRequest request = GetViewRequest.newBuilder().setMailboxId(id).setGroup(group).build();
    use();
    var answer = rpc.call(MailboxServiceGrpc.getGetViewMethod(), request, null);
    return new CurrentView(Events.view(0, answer.getView()), answer.getInTransition());
  }

  /** State and counters, as the sidecar has them. */
  public MailboxInfo info() {
    GetMailboxRequest request = GetMailboxRequest.newBuilder().setMailboxId(id).build();
    use();
    return MailboxInfo.of(rpc.call(MailboxServiceGrpc.getGetMailboxMethod(), request, null).getMailbox());
  }

  /** Ends the mailbox. */
  public boolean disconnect() {
    return disconnect(false, false);
  }

  /**
   * Ends the mailbox (SP_disconnect). The events that had come by then can still be received. What belongs to the mailbox on this
   * side is closed even if the call fails; the sidecar then ends it after the lease. A second call does what the first did.
   *
   * @param leaveGroupsFirst the others see LEAVE and not DISCONNECT
   * @param abort drop the daemon's socket without a goodbye (SP_kill), for tests of failure
   * @return whether this call ended it: false when it had ended, and when its sidecar is shutting down or cannot be reached
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
        SpreadException told = inbox.failure();
        boolean isInterrupted = error.status() == Status.Code.CANCELLED && Thread.currentThread().isInterrupted();
        if ((told != null && !Receiver.livesOn(told)) || (Errors.isGone(error) && !isInterrupted)) return wasOpen = false;
        endFailure = error;
        throw error;
      } finally {
        receiver.close();
        letGo();
      }
    }
  }

  /** Disconnects; silent also when the thread is interrupted. */
  @Override
  public void close() {
    try {
      disconnect();
    } catch (SpreadException error) {
      if (!Errors.isGone(error)) throw error;
    }
  }

  /**
   * Lets go of the mailbox without ending it: within the lease, {@link SpreadSidecar#attach} takes it up again with what this gives,
   * also in another process.
   */
  public Resumption detach() {
    synchronized (ending) {
      // Nothing is left to disconnect.
      if (wasOpen == null && endFailure == null) wasOpen = false;
      receiver.close();
      letGo();
    }
    return new Resumption(id, inbox.lastTaken());
  }

  private void letGo() {
    if (closed) return;
    closed = true;
    stopBackground();
    senders.forEach(Sender::abort);
    senders.clear();
    onClosed.run();
  }

  /** There is no mailbox any more that something could be done for in the background. */
  private void stopBackground() {
    if (acknowledger != null) acknowledger.close();
    if (keepAlive != null) keepAlive.close();
  }

  private void onNotice(Notice notice, String group) {
    if (group != null) privateGroup = group;
    if (notice instanceof Notice.Ended ended
        && ended.error().isPresent()
        && !Receiver.livesOn(ended.error().get())) stopBackground();
    options.onNotice.accept(notice);
  }

  private void use() {
    if (closed) throw Errors.disconnected();
    used();
  }

  private void used() {
    if (keepAlive != null) keepAlive.used();
  }

  private void ping() {
    PollRequest request = PollRequest.newBuilder().setMailboxId(id).build();
    rpc.begin(MailboxServiceGrpc.getPollMethod(), request, error -> {});
  }
}
