package org.spreadsidecar.client;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How to open a mailbox, or how to attach to a mailbox. All options are optional. Each setter returns this object.
 */
public final class MailboxOptions {
  String spreadName = "";
  String privateName = "";
  NameConflict onNameConflict = NameConflict.FAIL;
  int priority;
  boolean membership = true;
  String auth;
  Duration lease;
  /** Null if not set. */
  Boolean endWithConnection;
  ReconnectOptions reconnect;
  QueueOptions queue;
  AcknowledgementMode acknowledgement = AcknowledgementMode.AUTO;
  boolean manualAcknowledgement;
  boolean autoReceive;
  int maxBufferedEvents = 4096;
  long maxBufferedBytes = 4L * 1024 * 1024;
  long maxOutstandingEvents;
  long maxOutstandingBytes;
  Duration heartbeatInterval = Duration.ofSeconds(10);
  boolean keepAlive = true;
  Long afterSequence;
  Consumer<Notice> onNotice = notice -> {};

  /**
   * The daemon: {@code 4803}, {@code 4803@host}, or the path of a Unix socket. Default: the sidecar's default daemon.
   */
  public MailboxOptions spreadName(String name) {
    spreadName = name;
    return this;
  }

  /** The private name: at most 10 characters from {@code $} to {@code ~}. Default: the daemon generates one. */
  public MailboxOptions privateName(String name) {
    privateName = name;
    return this;
  }

  /** What {@code connect} does if the private name is in use. Default: {@link NameConflict#FAIL}. */
  public MailboxOptions onNameConflict(NameConflict what) {
    onNameConflict = Objects.requireNonNull(what, "onNameConflict");
    return this;
  }

  /** 0 or 1. Has no effect in Spread 5. Default: 0. */
  public MailboxOptions priority(int value) {
    priority = value;
    return this;
  }

  /** Whether to receive membership messages. Default: true. */
  public MailboxOptions membership(boolean wanted) {
    membership = wanted;
    return this;
  }

  /**
   * How the sidecar authenticates to the daemon: NULL (no credential), or IP (the daemon checks the sidecar's IPv4
   * address). Default: the sidecar's default, NULL.
   */
  public MailboxOptions auth(String method) {
    auth = method;
    return this;
  }

  /**
   * The lease: the time that the mailbox lives without a receiver and without calls. Default: the sidecar's default,
   * 30 s.
   */
  public MailboxOptions lease(Duration time) {
    lease = time;
    return this;
  }

  /**
   * Whether the mailbox ends 500 ms after the client's connection closes, for example when the process is killed. If
   * not, the mailbox ends after the lease. Default: false.
   */
  public MailboxOptions endWithConnection(boolean end) {
    endWithConnection = end;
    return this;
  }

  /**
   * How the sidecar reconnects after the daemon connection is lost. Default: not set, which ends the mailbox when its
   * connection is lost.
   */
  public MailboxOptions reconnect(ReconnectOptions options) {
    reconnect = options;
    return this;
  }

  /** Limits of the delivery queue in the sidecar. Default: the limits of the sidecar's configuration. */
  public MailboxOptions queue(QueueOptions options) {
    queue = options;
    return this;
  }

  /** When the sidecar may release an event. Default: {@link AcknowledgementMode#AUTO}. */
  public MailboxOptions acknowledgement(AcknowledgementMode mode) {
    acknowledgement = Objects.requireNonNull(mode, "acknowledgement");
    return this;
  }

  /**
   * With EXPLICIT acknowledgement: only {@link Mailbox#acknowledge} acknowledges events. If false, the client
   * acknowledges an event when the application asks for the next event. This suits one receiving loop, but not
   * several loops at the same time. Default: false.
   */
  public MailboxOptions manualAcknowledgement(boolean manual) {
    manualAcknowledgement = manual;
    return this;
  }

  /** Whether to start to receive immediately, instead of at the first receive call. Default: false. */
  public MailboxOptions autoReceive(boolean begin) {
    autoReceive = begin;
    return this;
  }

  /**
   * Maximum number of events that this client buffers for the application. When the buffer is full, the stream
   * pauses. Default: 4096.
   */
  public MailboxOptions maxBufferedEvents(int events) {
    maxBufferedEvents = events;
    return this;
  }

  /**
   * Approximate maximum size of events that this client buffers. When the buffer is full, the stream pauses. Default:
   * 4 MiB.
   */
  public MailboxOptions maxBufferedBytes(long bytes) {
    maxBufferedBytes = bytes;
    return this;
  }

  /**
   * With EXPLICIT: maximum number of events that are delivered but not acknowledged. 0 means no limit. Default: 0.
   */
  public MailboxOptions maxOutstandingEvents(long events) {
    maxOutstandingEvents = events;
    return this;
  }

  /**
   * With EXPLICIT: maximum size of events that are delivered but not acknowledged. 0 means no limit. Unit: bytes.
   * Default: 0.
   */
  public MailboxOptions maxOutstandingBytes(long bytes) {
    maxOutstandingBytes = bytes;
    return this;
  }

  /**
   * Interval of the sidecar's heartbeats on an idle stream. If no frame arrives for three intervals, the client
   * treats the stream as broken. 100 ms to 1 h; zero disables heartbeats. Default: 10 s.
   */
  public MailboxOptions heartbeatInterval(Duration interval) {
    heartbeatInterval = interval;
    return this;
  }

  /**
   * Whether the client renews the lease while the application neither receives events nor makes calls. If false, the
   * sidecar ends the unused mailbox after the lease. Default: true.
   */
  public MailboxOptions keepAlive(boolean keep) {
    keepAlive = keep;
    return this;
  }

  /**
   * Only for {@code attach}: receiving starts after this sequence. Default: after the last delivered event (AUTO) or
   * the last acknowledged event (EXPLICIT).
   */
  public MailboxOptions afterSequence(long sequence) {
    afterSequence = sequence;
    return this;
  }

  /** Gets notifications that are not events. A background thread calls the listener, which must not block. */
  public MailboxOptions onNotice(Consumer<Notice> listener) {
    onNotice = listener;
    return this;
  }

  /** A copy for a mailbox of {@link RequestReply}. */
  MailboxOptions forRequestReply() {
    MailboxOptions copy = new MailboxOptions();
    copy.spreadName = spreadName;
    copy.privateName = privateName;
    copy.onNameConflict = onNameConflict;
    copy.priority = priority;
    copy.auth = auth;
    copy.lease = lease;
    copy.endWithConnection = endWithConnection == null ? Boolean.TRUE : endWithConnection;
    copy.reconnect = reconnect;
    copy.queue = queue;
    copy.acknowledgement = acknowledgement;
    copy.maxBufferedEvents = maxBufferedEvents;
    copy.maxBufferedBytes = maxBufferedBytes;
    copy.maxOutstandingEvents = maxOutstandingEvents;
    copy.maxOutstandingBytes = maxOutstandingBytes;
    copy.heartbeatInterval = heartbeatInterval;
    copy.keepAlive = keepAlive;
    copy.onNotice = onNotice;
    return copy;
  }
}
