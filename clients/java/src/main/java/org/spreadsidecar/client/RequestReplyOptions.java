package org.spreadsidecar.client;

import java.util.Objects;
import java.util.function.Consumer;

/**
 * Options of {@link SpreadSidecar#openRequestReply}. All options are optional. Each setter returns this object.
 */
public final class RequestReplyOptions {
  MailboxOptions mailbox = new MailboxOptions();
  Consumer<SpreadEvent> onEvent = event -> {};

  /**
   * The options of the mailbox. The option {@code membership} is always true, and {@code manualAcknowledgement} is
   * always false. The default of {@code endWithConnection} is true, so that requesters learn within a second that
   * this process has died.
   */
  public RequestReplyOptions mailbox(MailboxOptions options) {
    mailbox = Objects.requireNonNull(options, "mailbox");
    return this;
  }

  /**
   * Gets each event that is neither a request nor a reply, such as a view. The thread that receives calls the
   * listener, which must not block.
   */
  public RequestReplyOptions onEvent(Consumer<SpreadEvent> listener) {
    onEvent = Objects.requireNonNull(listener, "onEvent");
    return this;
  }
}
