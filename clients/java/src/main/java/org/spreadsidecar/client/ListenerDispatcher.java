package org.spreadsidecar.client;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Passes the events of a mailbox to listeners, in a daemon thread that starts with the first listener. */
final class ListenerDispatcher {
  private final Iterable<SpreadEvent> events;
  private final String threadName;
  private final List<BasicMessageListener> listeners = new CopyOnWriteArrayList<>();
  private Thread thread;

  /** Receives no event before the first listener is added. */
  ListenerDispatcher(Iterable<SpreadEvent> events, String threadName) {
    this.events = events;
    this.threadName = threadName;
  }

  synchronized void add(BasicMessageListener listener) {
    listeners.add(listener);
    if (thread != null) return;
    thread = new Thread(this::dispatch, threadName);
    thread.setDaemon(true);
    thread.start();
  }

  void remove(BasicMessageListener listener) {
    listeners.remove(listener);
  }

  private void dispatch() {
    try {
      for (SpreadEvent event : events)
        for (BasicMessageListener listener : listeners) {
          try {
            listener.messageReceived(event);
          } catch (RuntimeException error) {
            Thread.UncaughtExceptionHandler handler = Thread.currentThread().getUncaughtExceptionHandler();
            handler.uncaughtException(Thread.currentThread(), error);
          }
        }
    } catch (SpreadException end) {
      // Notice.Ended has the reason.
    }
  }
}
