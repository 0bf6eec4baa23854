package org.spreadsidecar.client;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/** How to open or take up a mailbox. Everything is optional; each setter returns this. */
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

  /** The daemon: {@code 4803}, {@code 4803@host}, or the path of a Unix socket. Default: the sidecar's. */
  public MailboxOptions spreadName(String name) {
    spreadName = name;
    return this;
  }

  /** The private name: at most 10 characters of {@code $} to {@code ~}. Default: the daemon makes one. */
  public MailboxOptions privateName(String name) {
    privateName = name;
    return this;
  }

  /** What connect does when the private name is in use. Default: {@link NameConflict#FAIL}. */
  public MailboxOptions onNameConflict(NameConflict what) {
    onNameConflict = Objects.requireNonNull(what, "onNameConflict");
    return this;
  }

  /** 0 or 1; it has no effect in Spread 5. Default: 0. */
  public MailboxOptions priority(int value) {
    priority = value;
    return this;
  }

  /** Whether membership messages are received. Default: true. */
  public MailboxOptions membership(boolean wanted) {
    membership = wanted;
    return this;
  }

  /** How the sidecar shows itself to the daemon: NULL, or IP. Default: the sidecar's, NULL. */
  public MailboxOptions auth(String method) {
    auth = method;
    return this;
  }

  /** How long the mailbox lives while nothing uses it. Default: the sidecar's, 30 s. */
  public MailboxOptions lease(Duration time) {
    lease = time;
    return this;
  }

  /**
   * Ends the mailbox 500 ms after this side has closed its connection, as when the process ends or is killed, and not after
   * the lease. Default: false.
   */
  public MailboxOptions endWithConnection(boolean end) {
    endWithConnection = end;
    return this;
  }

  /** Makes a lost daemon connection anew. Default: the mailbox ends with its connection. */
  public MailboxOptions reconnect(ReconnectOptions options) {
    reconnect = options;
    return this;
  }

  /** Bounds of the event queue in the sidecar. Default: the sidecar's. */
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

  /** Begins to receive at once, not at the first receive. Default: false. */
  public MailboxOptions autoReceive(boolean begin) {
    autoReceive = begin;
    return this;
  }

  /** The stream is paused when so many events wait on this side. Default: 4096. */
  public MailboxOptions maxBufferedEvents(int events) {
    maxBufferedEvents = events;
    return this;
  }

  /** The stream is paused when about so many bytes of events wait on this side. Default: 4 MiB. */
  public MailboxOptions maxBufferedBytes(long bytes) {
    maxBufferedBytes = bytes;
    return this;
  }

  /** With explicit acknowledgement: most events given and not yet acknowledged; 0: no bound. Default: 0. */
  public MailboxOptions maxOutstandingEvents(long events) {
    maxOutstandingEvents = events;
    return this;
  }

  /** With explicit acknowledgement: most bytes of events given and not yet acknowledged; 0: no bound. Default: 0. */
  public MailboxOptions maxOutstandingBytes(long bytes) {
    maxOutstandingBytes = bytes;
    return this;
  }

  /**
   * The sidecar gives a sign of life on an idle stream this often; a stream that is silent for three times as long counts as
   * broken. 100 ms to 1 h; zero: none. Default: 10 s.
   */
  public MailboxOptions heartbeatInterval(Duration interval) {
    heartbeatInterval = interval;
    return this;
  }

  /** Keeps the mailbox while the application neither receives nor calls; else the sidecar ends it after the lease. Default: true. */
  public MailboxOptions keepAlive(boolean keep) {
    keepAlive = keep;
    return this;
  }

  /** When taking up a mailbox: receiving begins behind this event. Default: behind the last one that was given or acknowledged. */
  public MailboxOptions afterSequence(long sequence) {
    afterSequence = sequence;
    return this;
  }

  /** Told what happens besides the events. Called in the background; it must not block. */
  public MailboxOptions onNotice(Consumer<Notice> listener) {
    onNotice = listener;
    return this;
  }
}
