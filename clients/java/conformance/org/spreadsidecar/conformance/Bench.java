package org.spreadsidecar.conformance;

import static org.spreadsidecar.conformance.Protocol.flag;
import static org.spreadsidecar.conformance.Protocol.number;
import static org.spreadsidecar.conformance.Protocol.ordered;
import static org.spreadsidecar.conformance.Protocol.text;

import com.google.gson.JsonObject;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicReference;

/** A mailbox in its own group, which sends to itself. */
final class Bench {
  private static final int MAX_MESSAGES = 20_000;
  private static final long MAX_BYTES = 16L * 1024 * 1024;
  private static final long WARM_UP_NANOS = 500_000_000L;

  private Bench() {}

  /** A mailbox, which uses the client or only the stubs. */
  interface Peer extends AutoCloseable {
    void send(byte[] payload);

    /** Writes the messages that were not written yet. */
    void flush();

    void multicast(byte[] payload);

    /** Waits for at least one message. Returns the number of messages. */
    int receive() throws InterruptedException;

    @Override
    void close();
  }

  static String group() {
    return "bench-" + UUID.randomUUID().toString().substring(0, 18);
  }

  private static Peer peer(JsonObject args) {
    String target = text(args, "target", "");
    return flag(args, "raw", false)
        ? new RawPeer(target)
        : new ClientPeer(target, MAX_MESSAGES, MAX_BYTES);
  }

  static Object throughput(JsonObject args) throws Exception {
    int bytes = (int) number(args, "payloadBytes", 100);
    byte[] payload = new byte[bytes];
    int window = (int) Math.max(1, Math.min(MAX_MESSAGES, MAX_BYTES / Math.max(bytes, 1)));
    Semaphore room = new Semaphore(window);
    AtomicReference<Throwable> failure = new AtomicReference<>();
    try (Peer peer = peer(args)) {
      Thread sending =
          new Thread(
              () -> {
                try {
                  for (; ; ) {
                    if (!room.tryAcquire()) {
                      peer.flush();
                      room.acquire();
                    }
                    peer.send(payload);
                  }
                } catch (InterruptedException done) {
                  // The benchmark was asked to stop.
                } catch (Throwable error) {
                  if (!Thread.interrupted()) failure.set(error);
                }
              });
      sending.start();
      long begun = System.nanoTime();
      long since = 0;
      long messages = 0;
      long seconds = number(args, "seconds", 1) * 1_000_000_000L;
      for (; ; ) {
        int came = peer.receive();
        room.release(came);
        long now = System.nanoTime();
        if (failure.get() != null) throw new IllegalStateException(failure.get());
        if (since == 0) {
          if (now - begun >= WARM_UP_NANOS) since = now;
          continue;
        }
        messages += came;
        if (now - since >= seconds) {
          sending.interrupt();
          sending.join();
          return ordered("messages", messages, "seconds", (now - since) / 1e9);
        }
      }
    }
  }

  static Object roundTrip(JsonObject args) throws Exception {
    byte[] payload = new byte[(int) number(args, "payloadBytes", 100)];
    int count = (int) number(args, "count", 1000);
    int warmUp = (count + 9) / 10;
    double[] latencies = new double[count];
    try (Peer peer = peer(args)) {
      for (int i = -warmUp; i < count; i += 1) {
        long begun = System.nanoTime();
        peer.multicast(payload);
        peer.receive();
        if (i >= 0) latencies[i] = (System.nanoTime() - begun) / 1000.0;
      }
    }
    return ordered("latenciesUs", latencies);
  }
}
