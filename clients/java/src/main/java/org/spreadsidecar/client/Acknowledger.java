package org.spreadsidecar.client;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.spreadsidecar.v1.AcknowledgeRequest;
import org.spreadsidecar.v1.MailboxServiceGrpc;

/** Acknowledges events in the background. */
final class Acknowledger {
  private final Rpc rpc;
  private final String mailboxId;
  private final Consumer<SpreadException> onFailure;

  // This object's lock guards the rules.
  private final AcknowledgementRules rules;

  /** @param onFailure called with the error that ends receiving */
  Acknowledger(Rpc rpc, String mailboxId, Consumer<SpreadException> onFailure) {
    this.rpc = rpc;
    this.mailboxId = mailboxId;
    this.onFailure = onFailure;
    this.rules = new AcknowledgementRules(rpc.tokenMayChange, Backoff.RANDOM);
  }

  synchronized void request(long upTo) {
    call(rules.onRequest(upTo));
  }

  synchronized void close() {
    rules.close();
  }

  private void call(long upTo) {
    if (upTo == AcknowledgementRules.NONE) return;
    AcknowledgeRequest request =
        AcknowledgeRequest.newBuilder().setMailboxId(mailboxId).setUpToSequence(upTo).build();
    rpc.begin(MailboxServiceGrpc.getAcknowledgeMethod(), request, this::onEnd);
  }

  private void onEnd(SpreadException error) {
    synchronized (this) {
      if (error == null) {
        call(rules.onSuccess());
        return;
      }
      switch (rules.onFailure(error)) {
        case REPEAT -> {
          rpc.timers.schedule(this::onPauseEnd, rules.pauseNanos(), TimeUnit.NANOSECONDS);
          return;
        }
        case STOP -> {
          return;
        }
        case FAIL -> {}
      }
    }
    onFailure.accept(error);
  }

  private synchronized void onPauseEnd() {
    call(rules.onPauseEnd());
  }
}
