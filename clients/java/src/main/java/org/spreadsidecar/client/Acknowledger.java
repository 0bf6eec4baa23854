package org.spreadsidecar.client;

import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.spreadsidecar.v1.AcknowledgeRequest;
import org.spreadsidecar.v1.MailboxServiceGrpc;

/**
 * Acknowledges events in the background. At most one call is active. Requests during a call are combined into the
 * next call.
 */
final class Acknowledger {
  /** Reasons with which a mailbox ends. The stream reports them too, with more detail. */
  private static final Set<String> GONE =
      Set.of("ILLEGAL_SESSION", "LEASE_EXPIRED", "MAILBOX_DISCONNECTED", "CONNECTION_CLOSED", "DRAINING");

  private final Rpc rpc;
  private final String mailboxId;
  private final Consumer<SpreadException> onFailure;
  private final Backoff backoff = new Backoff(100, 2000);
  private long wanted;
  private long done;
  private boolean busy;
  private boolean closed;

  /**
   * @param onFailure called with the error of a call that is not retried, except for errors that the stream reports
   * too
   */
  Acknowledger(Rpc rpc, String mailboxId, Consumer<SpreadException> onFailure) {
    this.rpc = rpc;
    this.mailboxId = mailboxId;
    this.onFailure = onFailure;
  }

  synchronized void request(long upTo) {
    if (upTo > wanted) wanted = upTo;
    if (!busy) next();
  }

  synchronized void close() {
    closed = true;
  }

  private synchronized void next() {
    busy = !closed && wanted > done;
    if (!busy) return;
    long upTo = wanted;
    AcknowledgeRequest request =
        AcknowledgeRequest.newBuilder().setMailboxId(mailboxId).setUpToSequence(upTo).build();
    rpc.begin(MailboxServiceGrpc.getAcknowledgeMethod(), request, error -> onAnswer(upTo, error));
  }

  private void onAnswer(long upTo, SpreadException error) {
    synchronized (this) {
      if (error == null) {
        done = upTo;
        backoff.reset();
        next();
        return;
      }
      if (closed) return;
      if (rpc.mayPass(error)) {
        rpc.timers.schedule(this::next, backoff.next(), TimeUnit.MILLISECONDS);
        return;
      }
      closed = true;
    }
    if (!GONE.contains(error.reason())) onFailure.accept(error);
  }
}
