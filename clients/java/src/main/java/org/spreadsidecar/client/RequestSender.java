package org.spreadsidecar.client;

import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/** Sends requests and replies over a stream, and reports each rejected message to its own callback. */
final class RequestSender {
  private final Mailbox mailbox;

  // This object's lock guards the fields below, and the order of the messages.
  private Sender sender;
  /** What to do when the sidecar rejects a message, by its index. Has entries of undecided messages only. */
  private ConcurrentNavigableMap<Long, Consumer<SpreadException>> onRejected;

  RequestSender(Mailbox mailbox) {
    this.mailbox = mailbox;
  }

  /**
   * Sends a message. Waits while too many messages are in flight.
   *
   * @param onFailure called if the message is not sent; must not block
   */
  void send(OutgoingMessage message, Consumer<SpreadException> onFailure) {
    try {
      synchronized (this) {
        if (sender == null || sender.isClosed()) open();
        // Before the send, because the response can arrive before send returns.
        long index = sender.progress().sent() + 1;
        onRejected.put(index, onFailure);
        try {
          sender.send(message);
        } catch (RuntimeException error) {
          onRejected.remove(index);
          throw error;
        }
      }
    } catch (SpreadException error) {
      onFailure.accept(error);
    } catch (RejectedExecutionException closed) {
      onFailure.accept(Errors.channelClosed());
    }
  }

  private void open() {
    ConcurrentNavigableMap<Long, Consumer<SpreadException>> callbacks = new ConcurrentSkipListMap<>();
    SenderOptions options =
        new SenderOptions()
            .onRefused(
                refusal -> {
                  Consumer<SpreadException> callback = callbacks.remove(refusal.index());
                  if (callback != null) callback.accept(refusal.error());
                });
    options.onDecided = decided -> callbacks.headMap(decided, true).clear();
    sender = mailbox.sender(options);
    onRejected = callbacks;
  }
}
