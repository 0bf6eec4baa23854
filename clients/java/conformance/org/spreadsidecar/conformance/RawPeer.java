package org.spreadsidecar.conformance;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.LinkedBlockingQueue;
import org.spreadsidecar.v1.ConnectRequest;
import org.spreadsidecar.v1.DisconnectRequest;
import org.spreadsidecar.v1.JoinRequest;
import org.spreadsidecar.v1.MailboxServiceGrpc;
import org.spreadsidecar.v1.MailboxServiceGrpc.MailboxServiceBlockingStub;
import org.spreadsidecar.v1.MulticastBatch;
import org.spreadsidecar.v1.MulticastMessage;
import org.spreadsidecar.v1.MulticastRequest;
import org.spreadsidecar.v1.MulticastStreamOpen;
import org.spreadsidecar.v1.MulticastStreamRequest;
import org.spreadsidecar.v1.MulticastStreamResponse;
import org.spreadsidecar.v1.ReceiveRequest;
import org.spreadsidecar.v1.ReceiveResponse;
import org.spreadsidecar.v1.ServiceType;

/** Uses only the generated stubs: the minimum of code for the same bytes and calls. */
final class RawPeer implements Bench.Peer {
  private static final int BATCH_MESSAGES = 1024;
  private static final long BATCH_BYTES = 1024 * 1024;

  private final ManagedChannel channel;
  private final EpollEventLoopGroup group = new EpollEventLoopGroup(1);
  private final MailboxServiceBlockingStub stub;
  private final String mailboxId;
  private final String name = Bench.group();
  private final StreamObserver<MulticastStreamRequest> sending;
  private final LinkedBlockingQueue<Integer> received = new LinkedBlockingQueue<>();
  private MulticastBatch.Builder batch = MulticastBatch.newBuilder();
  private long batchBytes;

  RawPeer(String target) {
    NettyChannelBuilder builder =
        target.startsWith("unix:")
            ? NettyChannelBuilder.forAddress(new DomainSocketAddress(target.substring(5)))
                .eventLoopGroup(group)
                .channelType(EpollDomainSocketChannel.class)
                .overrideAuthority("localhost")
            : NettyChannelBuilder.forTarget(target);
    channel =
        builder.usePlaintext().flowControlWindow(1024 * 1024).maxInboundMessageSize(64 * 1024 * 1024).directExecutor().build();
    stub = MailboxServiceGrpc.newBlockingStub(channel);
    mailboxId = stub.connect(ConnectRequest.newBuilder().setMembership(false).build()).getMailboxId();
    stub.join(JoinRequest.newBuilder().setMailboxId(mailboxId).setGroup(name).build());
    MailboxServiceGrpc.MailboxServiceStub async = MailboxServiceGrpc.newStub(channel);
    sending = async.multicastStream(new Ignored<MulticastStreamResponse>());
    sending.onNext(
        MulticastStreamRequest.newBuilder()
            .setOpen(MulticastStreamOpen.newBuilder().setMailboxId(mailboxId))
            .build());
    async.receive(
        ReceiveRequest.newBuilder().setMailboxId(mailboxId).build(),
        new Ignored<ReceiveResponse>() {
          @Override
          public void onNext(ReceiveResponse response) {
            if (response.hasBatch()) received.add(response.getBatch().getEventsCount());
          }
        });
  }

  private static class Ignored<T> implements StreamObserver<T> {
    @Override
    public void onNext(T value) {}

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onCompleted() {}
  }

  private MulticastMessage message(byte[] payload) {
    return MulticastMessage.newBuilder()
        .setServiceType(ServiceType.SERVICE_TYPE_FIFO)
        .addGroups(name)
        .setPayload(UnsafeByteOperations.unsafeWrap(payload))
        .build();
  }

  @Override
  public void send(byte[] payload) {
    batch.addMessages(message(payload));
    batchBytes += payload.length;
    if (batch.getMessagesCount() >= BATCH_MESSAGES || batchBytes >= BATCH_BYTES) flush();
  }

  @Override
  public void flush() {
    if (batch.getMessagesCount() == 0) return;
    sending.onNext(MulticastStreamRequest.newBuilder().setBatch(batch).build());
    batch = MulticastBatch.newBuilder();
    batchBytes = 0;
  }

  @Override
  public void multicast(byte[] payload) {
    stub.multicast(MulticastRequest.newBuilder().setMailboxId(mailboxId).setMessage(message(payload)).build());
  }

  @Override
  public int receive() throws InterruptedException {
    int count = received.take();
    for (Integer more; (more = received.poll()) != null; ) count += more;
    return count;
  }

  @Override
  public void close() {
    stub.disconnect(DisconnectRequest.newBuilder().setMailboxId(mailboxId).build());
    channel.shutdownNow();
    group.shutdownGracefully();
  }
}
