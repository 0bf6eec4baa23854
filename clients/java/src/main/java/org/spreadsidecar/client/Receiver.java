package org.spreadsidecar.client;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.spreadsidecar.v1.Event;
import org.spreadsidecar.v1.MailboxServiceGrpc;
import org.spreadsidecar.v1.ReceiveAttached;
import org.spreadsidecar.v1.ReceiveRequest;
import org.spreadsidecar.v1.ReceiveResponse;
import org.spreadsidecar.v1.SlowConsumerNotice;

/**
 * Fills an inbox from Receive streams. Pauses while the inbox is full. When a stream breaks, attaches again after the
 * last event, so that the inbox gets every event once and in order.
 */
final class Receiver {
  /** A connection without any frame for this number of heartbeat intervals counts as broken. */
  private static final int SILENT_INTERVALS = 3;

  /** Maximum number of consecutive attempts that get no further event of an ended mailbox. */
  private static final int MAX_EMPTY_ATTEMPTS = 3;

  /** Timeout for an unreachable sidecar when the last events of an ended mailbox are fetched. */
  private static final long FETCH_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** After a disconnect, maximum time to wait for the end of the stream. Unit: ms. */
  private static final long FINISH_MS = 1000;

  /** Reasons that end a stream but not its mailbox. */
  private static final Set<String> STREAM_ONLY_REASONS = Set.of("RECEIVER_REPLACED", "SEQUENCE_NOT_RETAINED");

  private final Rpc rpc;
  private final Inbox inbox;
  private final String mailboxId;
  private final MailboxOptions options;
  private final Duration lease;
  private final BiConsumer<Notice, String> tell;
  private final Backoff backoff = new Backoff(100, 2000);

  // This object's lock guards all fields below. Listeners and the inbox are called without it.
  private Stream stream;
  private boolean started;
  private boolean closed;
  private boolean attached;
  private boolean attachWithRoom;
  private long last;
  private long brokenSince;
  private ScheduledFuture<?> retry;
  private End mailboxEnd;

  /** The end of the mailbox, while its last events are still being fetched. */
  private static final class End {
    final SpreadException error;
    final long last;
    long fetchedTo = -1;
    int emptyAttempts;

    End(SpreadException error) {
      this.error = error;
      this.last = lastSequenceOf(error);
    }
  }

  Receiver(
      Rpc rpc,
      Inbox inbox,
      String mailboxId,
      long afterSequence,
      MailboxOptions options,
      Duration lease,
      BiConsumer<Notice, String> tell) {
    this.rpc = rpc;
    this.inbox = inbox;
    this.mailboxId = mailboxId;
    this.options = options;
    this.lease = lease;
    this.tell = tell;
    this.last = afterSequence;
    inbox.onRoom(this::onRoom);
  }

  static boolean isMailboxAlive(SpreadException error) {
    return STREAM_ONLY_REASONS.contains(error.reason());
  }

  /** Whether a stream is attached. An attached stream keeps the mailbox's lease. */
  synchronized boolean attached() {
    return attached;
  }

  /** Starts to receive. Later calls have no effect. */
  synchronized void start() {
    if (started || closed || inbox.ended()) return;
    started = true;
    brokenSince = System.nanoTime();
    attach();
  }

  /** Closes the receiver after a disconnect. Waits up to 1 s for the last events of the stream. */
  void finish() {
    Stream standing;
    synchronized (this) {
      standing = stream;
    }
    if (standing != null) standing.awaitEnd(FINISH_MS);
    close();
  }

  /** Stops receiving without an error. Events in the inbox remain available. */
  void close() {
    Stream standing;
    synchronized (this) {
      closed = true;
      standing = detach();
      if (retry != null) retry.cancel(false);
    }
    if (standing != null) standing.cancel("the receiver was closed");
    end(null);
  }

  private void onRoom() {
    synchronized (this) {
      if (attachWithRoom && !closed) attach();
      else if (stream != null) stream.resume();
    }
  }

  private void attach() {
    attachWithRoom = false;
    stream = new Stream();
    ReceiveRequest.Builder request =
        ReceiveRequest.newBuilder()
            .setMailboxId(mailboxId)
            .setAfterSequence(last)
            .setMaxOutstandingEvents(options.maxOutstandingEvents)
            .setMaxOutstandingBytes(options.maxOutstandingBytes);
    if (!options.heartbeatInterval.isZero())
      request.setHeartbeatInterval(Errors.durationOf(options.heartbeatInterval));
    stream.start(request.build());
  }

  private Stream detach() {
    Stream standing = stream;
    stream = null;
    attached = false;
    if (standing != null) standing.unwatch();
    return standing;
  }

  private void end(SpreadException error) {
    if (inbox.end(error)) tell.accept(new Notice.Ended(Optional.ofNullable(error)), null);
  }

  private void gap(Stream from, long sequence) {
    String message;
    synchronized (this) {
      if (from != stream) return;
      message = "event " + (last + 1) + " is missing: the sidecar is already at sequence " + sequence;
      detach();
    }
    from.cancel("an event is missing");
    end(SpreadException.local(Status.Code.DATA_LOSS, message));
  }

  private void onAttached(Stream from, ReceiveAttached info) {
    synchronized (this) {
      if (from != stream) return;
      if (info.getNextSequence() == last + 1) {
        attached = true;
        backoff.reset();
      }
    }
    if (!attached()) {
      gap(from, info.getNextSequence());
      return;
    }
    tell.accept(
        new Notice.Attached(info.getNextSequence(), List.copyOf(info.getGroupsList())), info.getPrivateGroup());
  }

  /** True if the stream must pause until the inbox has space. */
  private boolean onEvents(Stream from, List<Event> batch) {
    List<SpreadEvent> events = new ArrayList<>(batch.size());
    long missing = 0;
    boolean full;
    synchronized (this) {
      if (from != stream) return false;
      for (Event event : batch) {
        long sequence = event.getSequence();
        if (sequence <= last) continue;
        if (sequence != last + 1) {
          missing = sequence;
          break;
        }
        last = sequence;
        SpreadEvent known = Events.of(event);
        if (known != null) events.add(known);
      }
      // Under the lock, so that an abandoned stream cannot add events after its successor.
      full = inbox.push(events);
    }
    if (missing != 0) gap(from, missing);
    return full;
  }

  private void onEnd(Stream from, SpreadException error) {
    SpreadException ending;
    boolean notify = false;
    synchronized (this) {
      if (from != stream) return;
      boolean wasAttached = attached;
      detach();
      if (error == null) ending = null;
      else {
        boolean broken = rpc.mayPass(error);
        if (wasAttached) brokenSince = System.nanoTime();
        ending = broken ? errorAfterBreak(error) : errorAfterEnd(error);
        if (ending == null && !closed) {
          notify = broken && wasAttached;
          retry = rpc.timers.schedule(this::again, backoff.next(), TimeUnit.MILLISECONDS);
          if (!notify) return;
        }
      }
    }
    if (notify) tell.accept(new Notice.Detached(error), null);
    else end(ending);
  }

  private synchronized void again() {
    if (closed || stream != null) return;
    // The last events of an ended mailbox wait until the inbox has space. Each further stream would overfill it.
    if (mailboxEnd != null && inbox.size() >= options.maxBufferedEvents) attachWithRoom = true;
    else attach();
  }

  /** The error that ends the mailbox after a broken stream, or null to attach again. */
  private SpreadException errorAfterBreak(SpreadException error) {
    long silent = System.nanoTime() - brokenSince;
    if (mailboxEnd != null && silent >= FETCH_NANOS) return withMissing(mailboxEnd.error);
    if (silent < lease.toNanos()) return null;
    if (error.status() == Status.Code.UNAUTHENTICATED) return error;
    String message =
        "the sidecar could not be reached for " + lease.toMillis() + " ms (the lease of the mailbox): " + error.getMessage();
    return new SpreadException(
        message,
        Status.Code.UNAVAILABLE,
        Endpoint.SIDECAR_UNREACHABLE,
        SpreadException.SIDECAR_DOMAIN,
        Map.of("target", rpc.endpoint.name()),
        false,
        null,
        null,
        null);
  }

  /**
   * The error that ends the mailbox after the sidecar ended its stream, or null to attach again. The error contains
   * the last sequence. The receiver attaches again while events are missing and attempts return some, and reports the
   * error after these events.
   */
  private SpreadException errorAfterEnd(SpreadException error) {
    if (isMailboxAlive(error)) return error;
    if (mailboxEnd == null) mailboxEnd = new End(error);
    if (mailboxEnd.last <= last) return mailboxEnd.error;
    mailboxEnd.emptyAttempts = mailboxEnd.fetchedTo == last ? mailboxEnd.emptyAttempts + 1 : 0;
    mailboxEnd.fetchedTo = last;
    // An error without a last sequence, such as NOT_FOUND, means that no events can be fetched.
    boolean canStop = lastSequenceOf(error) <= last || mailboxEnd.emptyAttempts >= MAX_EMPTY_ATTEMPTS;
    return canStop ? withMissing(mailboxEnd.error) : null;
  }

  private SpreadException withMissing(SpreadException error) {
    Map<String, String> metadata = new java.util.HashMap<>(error.metadata());
    metadata.put("received_sequence", String.valueOf(last));
    String message =
        error.getMessage()
            + "; events "
            + (last + 1)
            + " to "
            + error.metadata().get("last_sequence")
            + " are lost";
    return error.with(message, metadata, null, error.getCause());
  }

  private static long lastSequenceOf(SpreadException error) {
    String text = error.metadata().getOrDefault("last_sequence", "");
    return text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
  }

  /** A Receive stream. gRPC calls it from one thread at a time. */
  private final class Stream extends ClientCall.Listener<ReceiveResponse> {
    private final ClientCall<ReceiveRequest, ReceiveResponse> call =
        rpc.stream(MailboxServiceGrpc.getReceiveMethod());
    private ScheduledFuture<?> watchdog;
    private volatile long lastFrame = System.nanoTime();
    private boolean paused;
    private boolean over;
    private volatile boolean isSilent;

    void start(ReceiveRequest request) {
      // Before the start of the call: the call may end immediately, for example without a token, and its end stops the
      // watchdog.
      long interval = options.heartbeatInterval.toMillis();
      if (interval > 0)
        watchdog = rpc.timers.scheduleAtFixedRate(this::watch, interval, interval, TimeUnit.MILLISECONDS);
      call.start(this, new Metadata());
      call.sendMessage(request);
      call.halfClose();
      call.request(1);
    }

    void unwatch() {
      if (watchdog != null) watchdog.cancel(false);
    }

    private void watch() {
      long silent = System.nanoTime() - lastFrame;
      boolean waits;
      synchronized (this) {
        waits = !paused;
      }
      if (!waits || silent <= SILENT_INTERVALS * options.heartbeatInterval.toNanos()) return;
      isSilent = true;
      cancel("no frame arrived for three heartbeat intervals");
    }

    /**
     * A stream that this client cancelled because of missing heartbeats counts as broken, not as cancelled by the
     * application.
     */
    private SpreadException failureOf(Status status, Metadata trailers) {
      SpreadException error = rpc.endpoint.explain(status.asRuntimeException(trailers), call, false);
      if (!isSilent || error.status() != Status.Code.CANCELLED) return error;
      long silent = SILENT_INTERVALS * options.heartbeatInterval.toMillis();
      return SpreadException.local(Status.Code.UNAVAILABLE, "the sidecar sent no frame for " + silent + " ms");
    }

    void cancel(String why) {
      call.cancel(why, null);
    }

    synchronized void resume() {
      if (!paused) return;
      paused = false;
      lastFrame = System.nanoTime();
      call.request(1);
    }

    @Override
    public void onMessage(ReceiveResponse response) {
      lastFrame = System.nanoTime();
      boolean full = false;
      switch (response.getFrameCase()) {
        case ATTACHED -> onAttached(this, response.getAttached());
        case BATCH -> {
          // Before push returns, because the inbox may report space before this thread continues.
          synchronized (this) {
            paused = true;
          }
          full = onEvents(this, response.getBatch().getEventsList());
          if (!full) resume();
          return;
        }
        case HEARTBEAT -> {
          long there = response.getHeartbeat().getLastSequence();
          boolean missing;
          synchronized (Receiver.this) {
            missing = this == stream && there > last;
          }
          if (missing) gap(this, there);
        }
        case SLOW_CONSUMER -> tell.accept(slow(response.getSlowConsumer()), null);
        default -> {}
      }
      call.request(1);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      try {
        onEnd(this, status.isOk() ? null : failureOf(status, trailers));
      } finally {
        synchronized (this) {
          over = true;
          notifyAll();
        }
      }
    }

    synchronized void awaitEnd(long ms) {
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ms);
      try {
        while (!over && !paused) {
          long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
          if (left <= 0) return;
          wait(left);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Notice slow(SlowConsumerNotice notice) {
    return new Notice.SlowConsumer(
        notice.getQueuedEvents(),
        notice.getQueuedBytes(),
        notice.hasTimeLeft() ? Optional.of(Errors.durationOf(notice.getTimeLeft())) : Optional.empty());
  }
}
