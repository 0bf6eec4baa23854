package org.spreadsidecar.client;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
  private final Rpc rpc;
  private final Inbox inbox;
  private final String mailboxId;
  private final MailboxOptions options;
  private final BiConsumer<Notice, String> tell;

  // This object's lock guards all fields below. Listeners and the inbox are called without it.
  private Stream stream;
  private boolean started;
  private boolean closed;
  private boolean attachWithRoom;
  private final ReceiveRules rules;
  private ScheduledFuture<?> retry;

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
    this.tell = tell;
    this.rules =
        new ReceiveRules(
            new ReceiveRules.Settings(
                afterSequence,
                lease,
                options.heartbeatInterval,
                rpc.tokenMayChange,
                Map.of("target", rpc.endpoint.name())),
            Backoff.RANDOM);
    inbox.onRoom(this::onRoom);
  }

  /** Whether a stream is attached. An attached stream keeps the mailbox's lease. */
  synchronized boolean attached() {
    return rules.isAttached();
  }

  /** Starts to receive. Later calls have no effect. */
  synchronized void start() {
    if (started || closed || inbox.ended()) return;
    started = true;
    long now = System.nanoTime();
    rules.start(now);
    attach(now);
  }

  /**
   * C5: closes the receiver after a disconnect. Waits for the last events of the stream for a short time, but not
   * while the inbox is full.
   */
  void finish() {
    Stream standing;
    synchronized (this) {
      standing = stream;
    }
    if (standing != null) standing.awaitEnd(ReceiveRules.LAST_EVENTS_MS);
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
      if (attachWithRoom && !closed) attach(System.nanoTime());
      else if (stream != null) stream.resume();
    }
  }

  private void attach(long now) {
    attachWithRoom = false;
    stream = new Stream(rules.open(now));
    ReceiveRequest.Builder request =
        ReceiveRequest.newBuilder()
            .setMailboxId(mailboxId)
            .setAfterSequence(rules.last())
            .setMaxOutstandingEvents(options.maxOutstandingEvents)
            .setMaxOutstandingBytes(options.maxOutstandingBytes);
    if (!options.heartbeatInterval.isZero())
      request.setHeartbeatInterval(Errors.durationOf(options.heartbeatInterval));
    stream.start(request.build());
  }

  private Stream detach() {
    Stream standing = stream;
    stream = null;
    rules.detach();
    if (standing != null) standing.unwatch();
    return standing;
  }

  private void end(SpreadException error) {
    if (inbox.end(error)) tell.accept(new Notice.Ended(Optional.ofNullable(error)), null);
  }

  /** R5: an event is missing. Must be called without this object's lock. */
  private void endWithGap(Stream from, SpreadException error) {
    from.cancel("an event is missing");
    end(error);
  }

  private void onAttached(Stream from, ReceiveAttached info) {
    SpreadException gap;
    synchronized (this) {
      if (from != stream) return;
      gap = rules.onAttached(info.getNextSequence());
      if (gap != null) detach();
    }
    if (gap != null) {
      endWithGap(from, gap);
      return;
    }
    tell.accept(
        new Notice.Attached(info.getNextSequence(), List.copyOf(info.getGroupsList())), info.getPrivateGroup());
  }

  /** True if the stream must pause until the inbox has space. */
  private boolean onEvents(Stream from, List<Event> batch) {
    List<SpreadEvent> events = new ArrayList<>(batch.size());
    SpreadException gap = null;
    boolean full;
    synchronized (this) {
      if (from != stream) return false;
      for (Event event : batch) {
        ReceiveRules.OnEvent action = rules.onEvent(event.getSequence());
        if (action == ReceiveRules.OnEvent.FAIL) {
          gap = rules.missing(event.getSequence());
          break;
        }
        if (action == ReceiveRules.OnEvent.DROP) continue;
        SpreadEvent known = Events.of(event);
        if (known != null) events.add(known);
      }
      // Under the lock, so that an abandoned stream cannot add events after its successor.
      full = inbox.push(events);
      if (gap != null) detach();
    }
    if (gap != null) endWithGap(from, gap);
    return full;
  }

  private void onHeartbeat(Stream from, long lastSequence) {
    SpreadException gap;
    synchronized (this) {
      if (from != stream) return;
      gap = rules.onHeartbeat(lastSequence);
      if (gap != null) detach();
    }
    if (gap != null) endWithGap(from, gap);
  }

  private void onEnd(Stream from, SpreadException error) {
    ReceiveRules.AfterStream after;
    boolean attachesAgain;
    synchronized (this) {
      if (from != stream) return;
      after = rules.onEnd(error, System.nanoTime());
      detach();
      attachesAgain = after.attachesAgain() && !closed;
      if (attachesAgain) retry = rpc.timers.schedule(this::again, after.pauseNanos(), TimeUnit.NANOSECONDS);
    }
    if (!attachesAgain) end(after.error());
    else if (after.isDetached()) tell.accept(new Notice.Detached(error), null);
  }

  private synchronized void again() {
    if (closed || stream != null) return;
    if (rules.canAttach(inbox.full())) attach(System.nanoTime());
    else attachWithRoom = true;
  }

  /** A Receive stream. gRPC calls it from one thread at a time. */
  private final class Stream extends ClientCall.Listener<ReceiveResponse> {
    private final ClientCall<ReceiveRequest, ReceiveResponse> call =
        rpc.stream(MailboxServiceGrpc.getReceiveMethod());
    private final ReceiveRules.StreamWatch watch;
    private volatile SpreadException silence;

    // This object's lock guards the fields below, and changes of the pause.
    private ScheduledFuture<?> check;
    private boolean isWatched;
    private boolean over;

    Stream(ReceiveRules.StreamWatch watch) {
      this.watch = watch;
    }

    void start(ReceiveRequest request) {
      // Before the start of the call: the call may end immediately, for example without a token, and its end stops the
      // checks.
      synchronized (this) {
        isWatched = true;
        checkAfter(watch.attachLimitNanos());
      }
      call.start(this, new Metadata());
      call.sendMessage(request);
      call.halfClose();
      call.request(1);
    }

    synchronized void unwatch() {
      isWatched = false;
      check.cancel(false);
    }

    private void checkAfter(long nanos) {
      if (isWatched && nanos != Long.MAX_VALUE)
        check = rpc.timers.schedule(this::checkSilence, nanos, TimeUnit.NANOSECONDS);
    }

    private void checkSilence() {
      synchronized (this) {
        long left = watch.leftNanos(System.nanoTime());
        if (left > 0) {
          checkAfter(left);
          return;
        }
        silence = watch.silenceError();
      }
      cancel(silence.getMessage());
    }

    /**
     * A stream that this client cancelled because it was silent counts as broken, not as cancelled by the
     * application.
     */
    private SpreadException failureOf(Status status, Metadata trailers) {
      Throwable thrown = status.asRuntimeException(trailers);
      SpreadException error = rpc.endpoint.explain(thrown, MailboxServiceGrpc.getReceiveMethod(), call, false);
      return silence != null && error.status() == Status.Code.CANCELLED ? silence : error;
    }

    void cancel(String why) {
      call.cancel(why, null);
    }

    synchronized void resume() {
      if (!watch.isPaused()) return;
      watch.resume(System.nanoTime());
      call.request(1);
    }

    @Override
    public void onMessage(ReceiveResponse response) {
      watch.onFrame(System.nanoTime());
      switch (response.getFrameCase()) {
        case ATTACHED -> onAttached(this, response.getAttached());
        case BATCH -> {
          // Before push returns, because the inbox may report space before this thread continues.
          synchronized (this) {
            watch.pause();
          }
          boolean full = onEvents(this, response.getBatch().getEventsList());
          if (full) wakeWaiter();
          else resume();
          return;
        }
        case HEARTBEAT -> onHeartbeat(this, response.getHeartbeat().getLastSequence());
        case SLOW_CONSUMER -> tell.accept(slow(response.getSlowConsumer()), null);
        // R6.
        default -> {}
      }
      call.request(1);
    }

    private synchronized void wakeWaiter() {
      notifyAll();
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
        while (!over && !(watch.isPaused() && inbox.full())) {
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
