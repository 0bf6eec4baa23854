package org.spreadsidecar.client;

import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.spreadsidecar.v1.MailboxServiceGrpc;
import org.spreadsidecar.v1.MulticastBatch;
import org.spreadsidecar.v1.MulticastMessage;
import org.spreadsidecar.v1.MulticastRefusal;
import org.spreadsidecar.v1.MulticastStreamOpen;
import org.spreadsidecar.v1.MulticastStreamRequest;
import org.spreadsidecar.v1.MulticastStreamResponse;

/**
 * Sends many messages fast and in order over one stream. Messages that are sent while the client writes a frame share
 * the next frame. {@link #send} waits only at the limit of messages in flight.
 *
 * <p>The client does not replace a broken stream, because that could send a message twice. All later calls fail with
 * the same error, and {@link #undecided} returns the messages with an unknown outcome.
 */
public final class Sender implements AutoCloseable {
  /**
   * A rejected message. It was not sent.
   *
   * @param index the position of the message among the sender's messages, starting at 1
   * @param error the error with which a multicast of the message would have failed
   */
  public record Refusal(long index, SpreadException error) {}

  /**
   * The progress of a sender. The sidecar reports the progress within 20 ms, or when {@link #flush} waits for it.
   *
   * @param sent number of messages passed to send
   * @param decided the messages 1 to decided were passed to the daemon or rejected
   * @param accepted number of messages that were passed to the daemon
   */
  public record Progress(long sent, long decided, long accepted) {}

  private final Rpc rpc;
  private final SenderOptions options;
  private final Runnable onUse;
  private final ClientCall<MulticastStreamRequest, MulticastStreamResponse> call;

  // This object's lock guards all fields below.
  private final SendWindow window;
  private final ArrayDeque<MulticastMessage> unwritten = new ArrayDeque<>();
  private final ArrayDeque<MulticastMessage> inFlight = new ArrayDeque<>();
  private boolean scheduled;
  private final List<SpreadException> refusals = new ArrayList<>();
  private long refusedUnheard;
  private SpreadException failure;
  private boolean over;

  Sender(Rpc rpc, String mailboxId, SenderOptions options, Runnable onUse) {
    this.rpc = rpc;
    this.options = options;
    this.onUse = onUse;
    this.window = new SendWindow(options.maxInFlightMessages, options.maxInFlightBytes, options.maxBatchBytes);
    this.call = rpc.stream(MailboxServiceGrpc.getMulticastStreamMethod());
    call.start(new Responses(), new Metadata());
    call.request(Integer.MAX_VALUE);
    call.sendMessage(
        MulticastStreamRequest.newBuilder()
            // S4.
            .setOpen(MulticastStreamOpen.newBuilder().setMailboxId(mailboxId).setRespondsOnRequest(true))
            .build());
  }

  /**
   * Sends a message. Returns when the client can accept the next message, usually immediately. The call does not wait
   * until the daemon gets the message; use {@link #flush} for that.
   */
  public void send(OutgoingMessage message) {
    MulticastMessage proto = message.toProto();
    long size = SendWindow.sizeOf(message);
    synchronized (this) {
      checkOpen();
      window.add(size);
      unwritten.add(proto);
      inFlight.add(proto);
      if (window.isFrameComplete()) writeFrames(false);
      else if (!scheduled) {
        // A loop of sends fills the frame until this task runs.
        scheduled = true;
        rpc.timers.execute(this::writeScheduled);
      }
      while (failure == null && window.isFull()) {
        // Write the messages before this thread waits for them.
        writeFrames(false);
        await("waiting for room to send");
      }
      // The message may have been sent: see the outcome of the error.
      if (failure != null) throw failure.again();
    }
  }

  /** Whether the stream has ended. */
  synchronized boolean isOver() {
    return over;
  }

  /** Whether a further send fails. */
  synchronized boolean isClosed() {
    return failure != null || window.isClosing();
  }

  /** Waits until all sent messages were passed to the daemon or rejected. */
  public Progress flush() {
    return flush(null);
  }

  /**
   * Waits until all sent messages were passed to the daemon or rejected.
   *
   * @param timeout maximum time to wait; null for no limit. After this time, the call fails with status
   * DEADLINE_EXCEEDED, but does not cancel messages
   */
  public synchronized Progress flush(Duration timeout) {
    long until = window.sent();
    long end = timeout == null ? 0 : System.nanoTime() + timeout.toNanos();
    writeFrames(true);
    while (failure == null && window.decided() < until && !over) {
      if (timeout == null) await("waiting for the sidecar to accept or reject messages");
      else await("waiting for the sidecar to accept or reject messages", end - System.nanoTime());
    }
    return settled();
  }

  /** The progress. */
  public synchronized Progress progress() {
    return new Progress(window.sent(), window.decided(), window.accepted());
  }

  /**
   * The sent messages that were neither passed to the daemon nor rejected, oldest first. After a failure, their
   * outcome is unknown.
   */
  public synchronized List<OutgoingMessage> undecided() {
    return inFlight.stream().map(OutgoingMessage::of).toList();
  }

  /** Waits until all messages were passed to the daemon or rejected, ends the sender and returns its progress. */
  public synchronized Progress finish() {
    if (!window.isClosing() && failure == null) {
      writeFrames(false);
      window.close();
      call.halfClose();
    }
    while (!over) await("waiting for the sidecar to accept or reject messages");
    return settled();
  }

  /** Calls {@link #finish}. */
  @Override
  public void close() {
    finish();
  }

  /** The mailbox ended: nothing more is sent. */
  void abort() {
    synchronized (this) {
      if (over) return;
      fail(withOutcome(Errors.disconnected()));
      over = true;
      notifyAll();
    }
    call.cancel("the mailbox was disconnected", null);
  }

  private Progress settled() {
    if (failure != null) throw failure.again();
    if (refusedUnheard > 0) {
      long count = refusedUnheard;
      SpreadException first = refusals.get(0);
      String message = "rejected messages: " + count + "; first error: " + first.getMessage();
      SpreadException error = first.with(message, first.metadata(), SpreadException.Outcome.NOT_SENT, first);
      for (SpreadException refused : refusals.subList(1, refusals.size())) error.addSuppressed(refused);
      refusals.clear();
      refusedUnheard = 0;
      throw error;
    }
    return progress();
  }

  private void checkOpen() {
    // S7.
    if (failure != null) throw failure.again();
    if (window.isClosing())
      throw SpreadException.local(Status.Code.FAILED_PRECONDITION, "the sender is closed")
          .with("the sender is closed", Map.of(), SpreadException.Outcome.NOT_SENT, null);
  }

  private synchronized void writeScheduled() {
    scheduled = false;
    writeFrames(false);
  }

  /** @param isFlush whether the application waits until all messages are decided */
  private void writeFrames(boolean isFlush) {
    if (failure != null || window.isClosing()) return;
    for (SendWindow.Frame frame; (frame = window.nextFrame(isFlush)) != null; ) {
      MulticastBatch.Builder batch = MulticastBatch.newBuilder().setRespond(frame.respond());
      for (int i = 0; i < frame.messages(); i += 1) batch.addMessages(unwritten.poll());
      onUse.run();
      // The limit of messages in flight also limits gRPC's queue.
      call.sendMessage(MulticastStreamRequest.newBuilder().setBatch(batch).build());
    }
  }

  private void await(String doing) {
    try {
      wait();
    } catch (InterruptedException e) {
      throw Errors.interrupted("interrupted while " + doing, e);
    }
  }

  private void await(String doing, long nanos) {
    if (nanos <= 0) throw Errors.timeout("the timeout passed while " + doing);
    try {
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    } catch (InterruptedException e) {
      throw Errors.interrupted("interrupted while " + doing, e);
    }
  }

  private void fail(SpreadException error) {
    if (failure == null) failure = error;
    unwritten.clear();
    notifyAll();
  }

  /** S7. */
  private SpreadException withOutcome(SpreadException error) {
    return error.with(error.getMessage(), error.metadata(), window.outcomeOf(error), error.getCause());
  }

  private SpreadException errorOf(Throwable thrown) {
    return withOutcome(rpc.endpoint.explain(thrown, MailboxServiceGrpc.getMulticastStreamMethod(), call, true));
  }

  /** Handles the responses. gRPC calls it from one thread at a time. */
  private final class Responses extends ClientCall.Listener<MulticastStreamResponse> {
    @Override
    public void onMessage(MulticastStreamResponse answer) {
      onUse.run();
      List<Refusal> toReport = new ArrayList<>();
      SpreadException violation;
      synchronized (Sender.this) {
        // The messages of a failed sender stay undecided.
        if (failure != null) return;
        violation = window.onResponse(answer.getDecided(), answer.getAccepted());
        if (violation != null) fail(violation);
        while (inFlight.size() > window.inFlight()) inFlight.poll();
        for (MulticastRefusal refusal : answer.getRefusalsList()) {
          SpreadException error = errorOf(refusal);
          if (options.onRefused != null) toReport.add(new Refusal(refusal.getIndex(), error));
          else {
            refusedUnheard += 1;
            if (refusals.size() < SendWindow.MAX_KEPT_ERRORS) refusals.add(error);
          }
        }
      }
      if (violation != null) call.cancel(violation.getMessage(), null);
      toReport.forEach(options.onRefused == null ? refusal -> {} : options.onRefused);
      if (options.onDecided != null) options.onDecided.accept(answer.getDecided());
      // Rejected messages are reported before the waiting threads wake.
      synchronized (Sender.this) {
        Sender.this.notifyAll();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      synchronized (Sender.this) {
        over = true;
        if (failure == null) {
          SpreadException error =
              status.isOk()
                  ? window.errorOfEnd()
                  : errorOf(status.asRuntimeException(trailers));
          if (error != null) fail(error);
        }
        Sender.this.notifyAll();
      }
    }
  }

  private static SpreadException errorOf(MulticastRefusal refusal) {
    return new SpreadException(
        refusal.getStatusMessage(),
        Status.fromCodeValue(refusal.getStatusCode()).getCode(),
        refusal.getReason(),
        refusal.getDomain(),
        Map.copyOf(refusal.getMetadataMap()),
        false,
        null,
        "unknown".equals(refusal.getMetadataMap().get("outcome"))
            ? SpreadException.Outcome.UNKNOWN
            : SpreadException.Outcome.NOT_SENT,
        null);
  }
}
