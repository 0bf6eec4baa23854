package org.spreadsidecar.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The received events that the application did not take yet. After the end, the remaining events are still available.
 * Each later call gets the error that ended the mailbox.
 */
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

  /** True if the inbox is full. onRoom will be called. */
  boolean push(List<SpreadEvent> more) {
    lock.lock();
    try {
      if (ended) return false;
      for (SpreadEvent event : more) {
        events.add(event);
        bytes += Events.weight(event);
      }
      if (!more.isEmpty()) filled.signalAll();
      wasFull = isFull();
      return wasFull;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the inbox is full. onRoom will be called. */
  boolean full() {
    lock.lock();
    try {
      return isFull();
    } finally {
      lock.unlock();
    }
  }

  private boolean isFull() {
    return events.size() >= maxEvents || bytes >= maxBytes;
  }

  /** The first call ends the inbox and returns true. Without an error, the application requested the end. */
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

  /** The error that ended the inbox. Null before the end, and after an end that the application requested. */
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

  /** Whether the application requested the end and no event is left. */
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
   * Waits for the next events, at least one.
   *
   * @param nanos maximum time to wait for the first event; negative for no limit
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
    // Outside of the lock, because the receiver has its own lock.
    if (room) onRoom.run();
    return taken;
  }
}
