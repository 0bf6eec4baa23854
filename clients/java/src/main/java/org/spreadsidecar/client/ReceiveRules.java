package org.spreadsidecar.client;

import io.grpc.Status;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleSupplier;

/**
 * What the client does with frames of Receive streams and after their ends. Rules R1 to R5, R7 to R13, R15 and C5
 * of docs/client-rules.md. All times are nanoseconds of a monotonic clock (T1). The caller has the streams, waits for
 * the pauses, and synchronizes.
 */
final class ReceiveRules {
  /** C5: the maximum time to wait for the last events after a disconnect. */
  static final long LAST_EVENTS_MS = 1000;

  private static final int SILENT_INTERVALS = 3;
  private static final Duration SHORTEST_ATTACH_LIMIT = Duration.ofMillis(100);
  private static final int MAX_EMPTY_ATTEMPTS = 3;
  private static final Duration FETCH_TIME = Duration.ofSeconds(2);

  /**
   * The properties of a mailbox that the rules depend on.
   *
   * @param heartbeatInterval zero without heartbeats
   * @param tokenMayChange whether the client reads the token again for each call
   * @param endpoint the metadata of the client's own errors about the connection
   */
  record Settings(
      long afterSequence,
      Duration lease,
      Duration heartbeatInterval,
      boolean tokenMayChange,
      Map<String, String> endpoint) {
    /** R7: the time without frames after which an attached stream is broken. Long.MAX_VALUE without heartbeats. */
    private long silenceNanos() {
      return heartbeatInterval.isZero() ? Long.MAX_VALUE : SILENT_INTERVALS * heartbeatInterval.toNanos();
    }
  }

  /** What the client does with an event. */
  enum OnEvent {
    /** The event is the next one. */
    TAKE,
    /** The client has received the event before. */
    DROP,
    /** An event before this event is missing. */
    FAIL
  }

  /**
   * What the client does after the end of a stream.
   *
   * @param attachesAgain whether the client attaches again after a pause. Otherwise, receiving ends
   * @param pauseNanos the pause
   * @param isDetached whether the application gets the notice that the stream is detached
   * @param error the error with which receiving ends; null if receiving ends without an error
   */
  record AfterStream(boolean attachesAgain, long pauseNanos, boolean isDetached, SpreadException error) {
    private static AfterStream end(SpreadException error) {
      return new AfterStream(false, 0, false, error);
    }
  }

  /** The end of the mailbox, while the client fetches its last events. */
  private static final class MailboxEnd {
    final SpreadException error;
    final long last;
    long fetchedTo = -1;
    int emptyAttempts;

    MailboxEnd(SpreadException error) {
      this.error = error;
      this.last = lastSequenceOf(error);
    }
  }

  private final Settings settings;
  private final Backoff backoff;
  private long last;
  private boolean attached;
  private long unreachableSince;
  private MailboxEnd mailboxEnd;

  ReceiveRules(Settings settings, DoubleSupplier random) {
    this.settings = settings;
    this.backoff = Backoff.ofStream(random);
    this.last = settings.afterSequence();
  }

  /** R1: the sequence of the last event, after which the next stream starts. */
  long last() {
    return last;
  }

  boolean isAttached() {
    return attached;
  }

  /** R10: receiving starts. */
  void start(long now) {
    unreachableSince = now;
  }

  /** R13: whether the client can open a stream now. */
  boolean canAttach(boolean isInboxFull) {
    return mailboxEnd == null || !isInboxFull;
  }

  /** R8: the watch of a stream that the client opens now. */
  StreamWatch open(long now) {
    long limit = Math.min(settings.silenceNanos(), giveUpNanos() - (now - unreachableSince));
    return new StreamWatch(Math.max(limit, SHORTEST_ATTACH_LIMIT.toNanos()), settings.silenceNanos(), now);
  }

  /** R2, B2: returns the error that ends receiving, or null. */
  SpreadException onAttached(long nextSequence) {
    if (nextSequence != last + 1) return missing(nextSequence);
    attached = true;
    backoff.reset();
    return null;
  }

  /** R3. After FAIL, receiving ends with {@link #missing}. */
  OnEvent onEvent(long sequence) {
    if (sequence <= last) return OnEvent.DROP;
    if (sequence != last + 1) return OnEvent.FAIL;
    last = sequence;
    return OnEvent.TAKE;
  }

  /** R4: returns the error that ends receiving, or null. */
  SpreadException onHeartbeat(long lastSequence) {
    return lastSequence > last ? missing(lastSequence) : null;
  }

  /** R5: the error with which receiving ends. */
  SpreadException missing(long sequence) {
    String message = "event " + (last + 1) + " is missing: the sidecar is already at sequence " + sequence;
    return SpreadException.local(Status.Code.DATA_LOSS, message);
  }

  /** The client gives the stream up. */
  void detach() {
    attached = false;
  }

  /**
   * R9 to R12, R15: the stream ended.
   *
   * @param error null if the sidecar ended the stream without an error
   */
  AfterStream onEnd(SpreadException error, long now) {
    boolean wasAttached = attached;
    attached = false;
    if (error == null) return AfterStream.end(null);
    // R10.
    if (wasAttached) unreachableSince = now;
    boolean mayPass = Failures.mayPass(error, settings.tokenMayChange());
    SpreadException end = mayPass ? endAfterBreak(error, now) : endAfterError(error, now);
    if (end != null) return AfterStream.end(end);
    return new AfterStream(true, backoff.nextNanos(), mayPass && wasAttached, null);
  }

  /** R10, R12: returns the error with which receiving ends, or null to attach again. */
  private SpreadException endAfterBreak(SpreadException error, long now) {
    boolean givesUp = now - unreachableSince >= giveUpNanos();
    if (mailboxEnd != null) {
      if (mailboxEnd.last <= last) return mailboxEnd.error;
      return givesUp ? withLoss(mailboxEnd.error) : null;
    }
    if (!givesUp) return null;
    if (error.status() == Status.Code.UNAUTHENTICATED) return error;
    String message =
        "the sidecar could not be reached for "
            + settings.lease().toMillis()
            + " ms (the lease of the mailbox): "
            + error.getMessage();
    return new SpreadException(
        message,
        Status.Code.UNAVAILABLE,
        Endpoint.SIDECAR_UNREACHABLE,
        SpreadException.SIDECAR_DOMAIN,
        settings.endpoint(),
        false,
        null,
        null,
        null);
  }

  /** R11, R12, F3: returns the error with which receiving ends, or null to attach again. */
  private SpreadException endAfterError(SpreadException error, long now) {
    if (Failures.endsStreamOnly(error)) return error;
    // The sidecar responded.
    unreachableSince = now;
    if (mailboxEnd == null) mailboxEnd = new MailboxEnd(error);
    if (mailboxEnd.last <= last) return mailboxEnd.error;
    mailboxEnd.emptyAttempts = mailboxEnd.fetchedTo == last ? mailboxEnd.emptyAttempts + 1 : 0;
    mailboxEnd.fetchedTo = last;
    boolean stops = lastSequenceOf(error) <= last || mailboxEnd.emptyAttempts >= MAX_EMPTY_ATTEMPTS;
    return stops ? withLoss(mailboxEnd.error) : null;
  }

  /** R10, R12: the maximum time without an attached stream. */
  private long giveUpNanos() {
    return (mailboxEnd == null ? settings.lease() : FETCH_TIME).toNanos();
  }

  /** R12. */
  private SpreadException withLoss(SpreadException error) {
    Map<String, String> metadata = new HashMap<>(error.metadata());
    metadata.put("received_sequence", String.valueOf(last));
    String lost = (last + 1) + " to " + error.metadata().get("last_sequence");
    return error.with(error.getMessage() + "; events " + lost + " are lost", metadata, null, error.getCause());
  }

  /** 0 if the error has no valid sequence. */
  private static long lastSequenceOf(SpreadException error) {
    String text = error.metadata().getOrDefault("last_sequence", "");
    try {
      return text.matches("\\d+") ? Long.parseLong(text) : 0;
    } catch (NumberFormatException tooLarge) {
      return 0;
    }
  }

  /** Whether a stream is silent. Rules R7 and R8. The timer's thread and the stream's thread use it. */
  static final class StreamWatch {
    private final long attachLimitNanos;
    private final long silenceNanos;
    private volatile boolean hasFrame;
    private volatile boolean paused;
    private volatile long lastFrame;

    private StreamWatch(long attachLimitNanos, long silenceNanos, long now) {
      this.attachLimitNanos = attachLimitNanos;
      this.silenceNanos = silenceNanos;
      this.lastFrame = now;
    }

    /** R8. */
    long attachLimitNanos() {
      return attachLimitNanos;
    }

    /** The client read a frame. */
    void onFrame(long now) {
      lastFrame = now;
      if (!hasFrame) hasFrame = true;
    }

    /** R7: the client reads no further frames. */
    void pause() {
      paused = true;
    }

    void resume(long now) {
      lastFrame = now;
      paused = false;
    }

    boolean isPaused() {
      return paused;
    }

    /** R7, R8: the time after which the stream counts as broken, if no frame comes. 0 or less: it is broken. */
    long leftNanos(long now) {
      long limit = limitNanos();
      if (paused || limit == Long.MAX_VALUE) return limit;
      return limit - (now - lastFrame);
    }

    /** R7: the error of a stream that the client cancelled because it was silent. */
    SpreadException silenceError() {
      long limit = TimeUnit.NANOSECONDS.toMillis(limitNanos());
      return SpreadException.local(Status.Code.UNAVAILABLE, "the sidecar sent no frame for " + limit + " ms");
    }

    private long limitNanos() {
      return hasFrame ? silenceNanos : attachLimitNanos;
    }
  }
}
