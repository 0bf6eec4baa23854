package org.spreadsidecar.client;

/** Handles the requests of a group. */
@FunctionalInterface
public interface RequestHandler {
  /**
   * Handles a request and returns the reply. May block. If it throws, the requester gets the message of the error,
   * but no stack trace. The thread is interrupted when the mailbox ends.
   */
  HandlerReply handle(IncomingRequest request) throws Exception;
}
