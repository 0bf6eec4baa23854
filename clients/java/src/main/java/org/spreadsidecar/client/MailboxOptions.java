package org.spreadsidecar.client;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/** How to open or attach to a mailbox. All options are optional; each setter returns this. */
public final class MailboxOptions {
  String spreadName = "";
  String privateName = "";
  NameConflict onNameConflict = NameConflict.FAIL;
  int priority;
  boolean membership = true;
  String auth;
  Duration lease;
  boolean endWithConnection;
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

  /** What connect does when the private name is in use. Default: {@link NameConflict#FAIL}. */
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

  /** How the sidecar authenticates to the daemon: NULL, or IP (by its IPv4 address). Default: the sidecar's, NULL. */
  public MailboxOptions auth(String method) {
    auth = method;
    return this;
  }

  /**
   * The lease: the time that the mailbox lives without a receiver and without calls. Default: the sidecar's, 30 s.
   */
  public MailboxOptions lease(Duration time) {
    lease = time;
    return this;
  }

  /**
   * End the mailbox 500 ms after the client's connection closes, for example when the process ends or is killed,
   * instead of after the lease. Default: false.
   */
  public MailboxOptions endWithConnection(boolean end) {
    endWithConnection = end;
    return this;
  }

  /** Reconnect after the loss of the daemon connection. Default: the mailbox ends with its connection. */
  public MailboxOptions reconnect(ReconnectOptions options) {
    reconnect = options;
    return this;
  }

  /** Limits of the delivery queue in the sidecar. Default: the sidecar's. */
  public MailboxOptions queue(QueueOptions options) {
    queue = options;
    return this;
  }

  /** When the sidecar may discard an event. Default: {@link AcknowledgementMode#AUTO}. */
  public MailboxOptions acknowledgement(AcknowledgementMode mode) {
    acknowledgement = Objects.requireNonNull(mode, "acknowledgement");
    return this;
  }

  /**
   * With EXPLICIT acknowledgement: only {@link Mailbox#acknowledge} acknowledges events. If false, the client acknowledges
   * an event when the application asks for the next one. That suits one loop, but not several that receive at the same time.
   * Default: false.
   */
  public MailboxOptions manualAcknowledgement(boolean manual) {
    manualAcknowledgement = manual;
    return this;
  }

  /** Start to receive immediately instead of at the first receive call. Default: false. */
  public MailboxOptions autoReceive(boolean begin) {
    autoReceive = begin;
    return this;
  }

  /** Maximum number of events that wait for the application in this client. Then the stream pauses. Default: 4096. */
  public MailboxOptions maxBufferedEvents(int events) {
    maxBufferedEvents = events;
    return this;
  }

  /** Approximate maximum size of events that wait in this client. Then the stream pauses. Default: 4 MiB. */
  public MailboxOptions maxBufferedBytes(long bytes) {
    maxBufferedBytes = bytes;
    return this;
  }

  /** With EXPLICIT: maximum number of events that are delivered but not acknowledged. 0: no limit. Default: 0. */
  public MailboxOptions maxOutstandingEvents(long events) {
    maxOutstandingEvents = events;
    return this;
  }

  /**
   * With EXPLICIT: maximum size of events that are delivered but not acknowledged. 0: no limit. Unit: bytes. Default:
   * 0.
   */
  public MailboxOptions maxOutstandingBytes(long bytes) {
    maxOutstandingBytes = bytes;
    return this;
  }

  /**
   * Interval of the sidecar's heartbeats on an idle stream. A stream without any frame for three intervals counts as
   * broken. 100 ms to 1 h; zero disables heartbeats. Default: 10 s.
   */
  public MailboxOptions heartbeatInterval(Duration interval) {
    heartbeatInterval = interval;
    return this;
  }

  /**
   * Renew the lease while the application neither receives nor calls. If false, the sidecar ends such a mailbox after
   * the lease. Default: true.
   */
  public MailboxOptions keepAlive(boolean keep) {
    keepAlive = keep;
    return this;
  }

  /**
   * For attach: receiving starts after this sequence. Default: after the last delivered event (AUTO) or the last
   * acknowledged event (EXPLICIT).
   */
  public MailboxOptions afterSequence(long sequence) {
    afterSequence = sequence;
    return this;
  }

  /** Gets notifications that are not events. A background thread calls it; it must not block. */
  public MailboxOptions onNotice(Consumer<Notice> listener) {
    onNotice = listener;
    return this;
  }
}
