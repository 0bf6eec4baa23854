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
  private static final int BATCH_MESSAGES = 1024;
  private static final int KEPT_REFUSALS = 100;

  /**
   * A rejected message. It was not sent.
   *
   * @param index the position of the message among the sender's messages, starting at 1
   * @param error the error with which a multicast of the message would have failed
   */
  public record Refusal(long index, SpreadException error) {}

  /**
   * The progress of a sender.
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
  private MulticastBatch.Builder batch = MulticastBatch.newBuilder();
  private long batchBytes;
  private boolean scheduled;
  private final ArrayDeque<MulticastMessage> inFlight = new ArrayDeque<>();
  private long inFlightBytes;
  private long sent;
  private long decided;
  private long accepted;
  private final List<SpreadException> refusals = new ArrayList<>();
  private long refusedUnheard;
  private SpreadException failure;
  private boolean closing;
  private boolean over;

  Sender(Rpc rpc, String mailboxId, SenderOptions options, Runnable onUse) {
    this.rpc = rpc;
    this.options = options;
    this.onUse = onUse;
    this.call = rpc.stream(MailboxServiceGrpc.getMulticastStreamMethod());
    call.start(new Responses(), new Metadata());
    call.request(Integer.MAX_VALUE);
    call.sendMessage(
        MulticastStreamRequest.newBuilder()
            .setOpen(MulticastStreamOpen.newBuilder().setMailboxId(mailboxId))
            .build());
  }

  /**
   * Sends a message. Returns when the client can accept the next message, usually immediately. The call does not wait
   * until the daemon gets the message; use {@link #flush} for that.
   */
  public void send(OutgoingMessage message) {
    MulticastMessage proto = message.toProto();
    long size = sizeOf(proto);
    synchronized (this) {
      checkOpen();
      sent += 1;
      inFlight.add(proto);
      inFlightBytes += size;
      batch.addMessages(proto);
      batchBytes += size;
      if (batchBytes >= options.maxBatchBytes || batch.getMessagesCount() >= BATCH_MESSAGES) writeBatch();
      else if (!scheduled) {
        // A loop of sends fills the batch until this task runs.
        scheduled = true;
        rpc.timers.execute(this::writeScheduled);
      }
      while (failure == null && !hasRoom()) {
        // Write the messages before this thread waits for them.
        writeBatch();
        await("waiting for room to send");
      }
      // The message may have been sent: see the outcome of the error.
      if (failure != null) throw failure.again();
    }
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
    long until = sent;
    long end = timeout == null ? 0 : System.nanoTime() + timeout.toNanos();
    writeBatch();
    while (failure == null && decided < until && !over) {
      if (timeout == null) await("waiting for the sidecar to accept or reject messages");
      else await("waiting for the sidecar to accept or reject messages", end - System.nanoTime());
    }
    return settled();
  }

  /** The progress. */
  public synchronized Progress progress() {
    return new Progress(sent, decided, accepted);
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
    if (!closing && failure == null) {
      closing = true;
      writeBatch();
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
      fail(Errors.disconnected());
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

  private boolean hasRoom() {
    return inFlight.size() < options.maxInFlightMessages && inFlightBytes < options.maxInFlightBytes;
  }

  private void checkOpen() {
    if (failure != null) throw failure.again().with(failure.getMessage(), failure.metadata(), SpreadException.Outcome.NOT_SENT, failure);
    if (closing)
      throw SpreadException.local(Status.Code.FAILED_PRECONDITION, "the sender is closed")
          .with("the sender is closed", Map.of(), SpreadException.Outcome.NOT_SENT, null);
  }

  private synchronized void writeScheduled() {
    scheduled = false;
    writeBatch();
  }

  private void writeBatch() {
    if (batch.getMessagesCount() == 0 || failure != null) return;
    MulticastStreamRequest request = MulticastStreamRequest.newBuilder().setBatch(batch).build();
    batch = MulticastBatch.newBuilder();
    batchBytes = 0;
    onUse.run();
    // The limit of messages in flight also limits gRPC's queue.
    call.sendMessage(request);
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
    batch = MulticastBatch.newBuilder();
    notifyAll();
  }

  private static long sizeOf(MulticastMessage message) {
    // Protobuf keeps the serialized size, which it needs for writing anyway.
    int size = message.getHeadersCount() == 0 ? message.getPayload().size() : message.getSerializedSize();
    return size + 32L * message.getGroupsCount() + 16;
  }

  /** Handles the responses. gRPC calls it from one thread at a time. */
  private final class Responses extends ClientCall.Listener<MulticastStreamResponse> {
    @Override
    public void onMessage(MulticastStreamResponse answer) {
      onUse.run();
      List<Refusal> toReport = new ArrayList<>();
      synchronized (Sender.this) {
        while (decided < answer.getDecided() && !inFlight.isEmpty()) {
          inFlightBytes -= sizeOf(inFlight.poll());
          decided += 1;
        }
        accepted = answer.getAccepted();
        for (MulticastRefusal refusal : answer.getRefusalsList()) {
          SpreadException error = errorOf(refusal);
          if (options.onRefused != null) toReport.add(new Refusal(refusal.getIndex(), error));
          else {
            refusedUnheard += 1;
            if (refusals.size() < KEPT_REFUSALS) refusals.add(error);
          }
        }
      }
      toReport.forEach(options.onRefused == null ? refusal -> {} : options.onRefused);
      // Rejected messages are reported before the waiting threads wake.
      synchronized (Sender.this) {
        Sender.this.notifyAll();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      synchronized (Sender.this) {
        over = true;
        if (!status.isOk()) fail(rpc.endpoint.explain(status.asRuntimeException(trailers), call, true));
        else if (decided < sent) {
          String message = "the sidecar ended the stream before it accepted or rejected all messages";
          fail(
              SpreadException.local(Status.Code.UNAVAILABLE, message)
                  .with(message, Map.of(), SpreadException.Outcome.UNKNOWN, null));
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
