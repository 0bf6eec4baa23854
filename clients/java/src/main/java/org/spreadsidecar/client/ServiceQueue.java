package org.spreadsidecar.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** Runs the requests of one service in the order of their delivery, at most {@code concurrency} at a time (Q8). */
final class ServiceQueue<T> {
  private final Function<T, Runnable> handle;
  private final String threadName;
  private final int concurrency;
  private final int maxQueued;

  // This object's lock guards all fields below.
  private final ArrayDeque<T> waiting = new ArrayDeque<>();
  private final Set<Thread> threads = new HashSet<>();
  private int running;
  private boolean stopped;

  /**
   * @param handle handles one request, and returns what sends its reply. Neither of them throws an exception
   * @param threadName the name of the threads
   * @param concurrency maximum number of requests that run at the same time
   * @param maxQueued maximum number of requests that wait
   */
  ServiceQueue(Function<T, Runnable> handle, String threadName, int concurrency, int maxQueued) {
    this.handle = handle;
    this.threadName = threadName;
    this.concurrency = concurrency;
    this.maxQueued = maxQueued;
  }

  /** Returns false if too many requests wait. Never blocks. */
  synchronized boolean add(T request) {
    if (stopped || waiting.size() + running >= (long) concurrency + maxQueued) return false;
    waiting.add(request);
    if (threads.size() < concurrency && threads.size() < waiting.size() + running) {
      Thread thread = new Thread(this::work, threadName);
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
    notify();
    return true;
  }

  /** Starts no further request. Returns the requests that wait. Threads end after the requests that run. */
  synchronized List<T> stop() {
    stopped = true;
    List<T> rejected = new ArrayList<>(waiting);
    waiting.clear();
    notifyAll();
    return rejected;
  }

  /** Interrupts the requests that run, except one of the current thread. */
  synchronized void interrupt() {
    for (Thread thread : threads) if (thread != Thread.currentThread()) thread.interrupt();
  }

  /** Whether no thread is left. */
  synchronized boolean hasEnded() {
    return stopped && threads.isEmpty();
  }

  private void work() {
    try {
      for (T request; (request = next()) != null; ) {
        Runnable reply = null;
        try {
          reply = handle.apply(request);
        } finally {
          // Before the reply: a requester that has its reply can send the next request.
          synchronized (this) {
            running -= 1;
          }
        }
        reply.run();
      }
    } finally {
      synchronized (this) {
        threads.remove(Thread.currentThread());
      }
    }
  }

  /** Null after the end. */
  private synchronized T next() {
    // A handler may leave the interrupt flag set.
    Thread.interrupted();
    while (waiting.isEmpty() && !stopped) {
      try {
        wait();
      } catch (InterruptedException e) {
        // An interrupt concerns only handlers.
      }
    }
    if (stopped) return null;
    running += 1;
    return waiting.poll();
  }
}
