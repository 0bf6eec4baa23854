package org.spreadsidecar.conformance;

import org.spreadsidecar.client.Mailbox;
import org.spreadsidecar.client.MailboxOptions;
import org.spreadsidecar.client.OutgoingMessage;
import org.spreadsidecar.client.Sender;
import org.spreadsidecar.client.SenderOptions;
import org.spreadsidecar.client.ServiceType;
import org.spreadsidecar.client.SidecarOptions;
import org.spreadsidecar.client.SpreadSidecar;

/** Uses the client as an application does. */
final class ClientPeer implements Bench.Peer {
  private final SpreadSidecar sidecar;
  private final Mailbox mailbox;
  private final Sender sender;
  private final String group = Bench.group();

  ClientPeer(String target, int maxMessages, long maxBytes) {
    sidecar = new SpreadSidecar(new SidecarOptions().target(target));
    mailbox = sidecar.connect(new MailboxOptions().membership(false));
    mailbox.join(group);
    sender = mailbox.sender(new SenderOptions().maxInFlightMessages(maxMessages).maxInFlightBytes(maxBytes));
  }

  @Override
  public void send(byte[] payload) {
    sender.send(OutgoingMessage.to(ServiceType.FIFO, group, payload));
  }

  @Override
  public void flush() {}

  @Override
  public void multicast(byte[] payload) {
    mailbox.multicast(ServiceType.FIFO, group, payload);
  }

  @Override
  public int receive() {
    return mailbox.receiveMany(1000).size();
  }

  @Override
  public void close() {
    sidecar.close();
  }
}
