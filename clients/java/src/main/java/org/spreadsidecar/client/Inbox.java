package org.spreadsidecar.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** What was received and not yet taken. After its end it still gives what is in it, and then the end to everybody who asks. */
final class Inbox {
  private final int maxEvents;
  private final long maxBytes;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final ArrayDeque<SpreadEvent> events = new ArrayDeque<>();
  private long bytes;
  private boolean ended;
  private SpreadException error;
  private long lastTaken;
  private boolean wasFull;
  private Runnable onRoom = () -> {};

  Inbox(int maxEvents, long maxBytes, long lastTaken) {
    this.maxEvents = maxEvents;
    this.maxBytes = maxBytes;
    this.lastTaken = lastTaken;
  }

  /** Called when half of a full inbox was taken. */
  void onRoom(Runnable action) {
    onRoom = action;
  }

  /** True: it is full, and onRoom will be called. */
  boolean push(List<SpreadEvent> more) {
    lock.lock();
    try {
      if (ended) return false;
      for (SpreadEvent event : more) {
        events.add(event);
        bytes += Events.weight(event);
      }
      if (!more.isEmpty()) filled.signalAll();
      wasFull = events.size() >= maxEvents || bytes >= maxBytes;
      return wasFull;
    } finally {
      lock.unlock();
    }
  }

  /** The first end counts; true if this was it. Without an error: the application asked for it. */
  boolean end(SpreadException why) {
    lock.lock();
    try {
      if (ended) return false;
      ended = true;
      error = why;
      filled.signalAll();
      return true;
    } finally {
      lock.unlock();
    }
  }

  /** What receiving ended with; null while it goes on, and when it ended as the application asked. */
  SpreadException failure() {
    lock.lock();
    try {
      return error;
    } finally {
      lock.unlock();
    }
  }

  boolean ended() {
    lock.lock();
    try {
      return ended;
    } finally {
      lock.unlock();
    }
  }

  /** It ended as the application asked, and everything is taken. */
  boolean exhausted() {
    lock.lock();
    try {
      return ended && error == null && events.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return events.size();
    } finally {
      lock.unlock();
    }
  }

  long lastTaken() {
    lock.lock();
    try {
      return lastTaken;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The next events, at least one.
   *
   * @param nanos how long to wait for the first; negative: for ever
   */
  List<SpreadEvent> take(int most, long nanos) {
    List<SpreadEvent> taken;
    boolean room;
    try {
      lock.lockInterruptibly();
    } catch (InterruptedException e) {
      throw Errors.interrupted("interrupted while waiting for an event", e);
    }
    try {
      long left = nanos;
      while (events.isEmpty()) {
        if (ended) throw error == null ? Errors.disconnected() : error.again();
        if (nanos < 0) filled.await();
        else {
          if (left <= 0) throw Errors.timeout("no event within " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms");
          left = filled.awaitNanos(left);
        }
      }
      taken = new ArrayList<>(Math.min(most, events.size()));
      while (taken.size() < most && !events.isEmpty()) {
        SpreadEvent event = events.poll();
        bytes -= Events.weight(event);
        taken.add(event);
      }
      lastTaken = taken.get(taken.size() - 1).sequence();
      room = wasFull && events.size() <= maxEvents / 2 && bytes <= maxBytes / 2;
      if (room) wasFull = false;
    } catch (InterruptedException e) {
      throw Errors.interrupted("interrupted while waiting for an event", e);
    } finally {
      lock.unlock();
    }
    // Not under the lock: whoever fills has one of its own.
    if (room) onRoom.run();
    return taken;
  }
}
