package org.spreadsidecar.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.rpc.ErrorInfo;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.spreadsidecar.v1.AcknowledgeRequest;
import org.spreadsidecar.v1.AcknowledgeResponse;
import org.spreadsidecar.v1.Acknowledgement;
import org.spreadsidecar.v1.ConnectRequest;
import org.spreadsidecar.v1.ConnectResponse;
import org.spreadsidecar.v1.DisconnectRequest;
import org.spreadsidecar.v1.DisconnectResponse;
import org.spreadsidecar.v1.Event;
import org.spreadsidecar.v1.EventBatch;
import org.spreadsidecar.v1.GetVersionRequest;
import org.spreadsidecar.v1.GetVersionResponse;
import org.spreadsidecar.v1.JoinRequest;
import org.spreadsidecar.v1.JoinResponse;
import org.spreadsidecar.v1.MailboxLimits;
import org.spreadsidecar.v1.MailboxServiceGrpc;
import org.spreadsidecar.v1.MulticastStreamRequest;
import org.spreadsidecar.v1.MulticastStreamResponse;
import org.spreadsidecar.v1.ReceiveAttached;
import org.spreadsidecar.v1.ReceiveRequest;
import org.spreadsidecar.v1.ReceiveResponse;
import org.spreadsidecar.v1.SelfLeave;

/** Tests with a server whose responses the test chooses. They show that the client applies its rules. */
@Timeout(30)
class FakeSidecarTest {
  private static final long LONG_LEASE_SECONDS = 60;

  private final FakeService service = new FakeService();
  private Server server;
  private SpreadSidecar sidecar;

  /** A service that answers only Connect and Join, and passes other calls to the test. */
  private static final class FakeService extends MailboxServiceGrpc.MailboxServiceImplBase {
    final BlockingQueue<StreamObserver<GetVersionResponse>> versions = new LinkedBlockingQueue<>();
    final BlockingQueue<StreamObserver<ReceiveResponse>> receivers = new LinkedBlockingQueue<>();
    final BlockingQueue<StreamObserver<AcknowledgeResponse>> acknowledgements = new LinkedBlockingQueue<>();
    final BlockingQueue<StreamObserver<DisconnectResponse>> disconnects = new LinkedBlockingQueue<>();
    final BlockingQueue<StreamObserver<MulticastStreamResponse>> senders = new LinkedBlockingQueue<>();
    final BlockingQueue<MulticastStreamRequest> frames = new LinkedBlockingQueue<>();

    @Override
    public void connect(ConnectRequest request, StreamObserver<ConnectResponse> response) {
      MailboxLimits limits =
          MailboxLimits.newBuilder()
              .setLease(com.google.protobuf.Duration.newBuilder().setSeconds(LONG_LEASE_SECONDS))
              .build();
      Acknowledgement mode = request.getAcknowledgement();
      response.onNext(
          ConnectResponse.newBuilder().setMailboxId("id").setLimits(limits).setAcknowledgement(mode).build());
      response.onCompleted();
    }

    @Override
    public void getVersion(GetVersionRequest request, StreamObserver<GetVersionResponse> response) {
      versions.add(response);
    }

    @Override
    public void join(JoinRequest request, StreamObserver<JoinResponse> response) {
      response.onNext(JoinResponse.getDefaultInstance());
      response.onCompleted();
    }

    @Override
    public void receive(ReceiveRequest request, StreamObserver<ReceiveResponse> response) {
      receivers.add(response);
    }

    @Override
    public void acknowledge(AcknowledgeRequest request, StreamObserver<AcknowledgeResponse> response) {
      acknowledgements.add(response);
    }

    @Override
    public void disconnect(DisconnectRequest request, StreamObserver<DisconnectResponse> response) {
      disconnects.add(response);
    }

    @Override
    public StreamObserver<MulticastStreamRequest> multicastStream(StreamObserver<MulticastStreamResponse> response) {
      senders.add(response);
      return new StreamObserver<>() {
        @Override
        public void onNext(MulticastStreamRequest frame) {
          frames.add(frame);
        }

        @Override
        public void onError(Throwable error) {}

        @Override
        public void onCompleted() {}
      };
    }
  }

  @BeforeEach
  void start() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(service)
            .build()
            .start();
    sidecar = new SpreadSidecar(new SidecarOptions().target("127.0.0.1:" + server.getPort()));
  }

  @AfterEach
  void stop() throws InterruptedException {
    sidecar.close(true);
    server.shutdownNow();
    assertTrue(server.awaitTermination(10, TimeUnit.SECONDS));
  }

  private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
    T element = queue.poll(10, TimeUnit.SECONDS);
    assertFalse(element == null, "the client did not make the expected call");
    return element;
  }

  private static RuntimeException errorOf(Status.Code code, String reason) {
    ErrorInfo info = ErrorInfo.newBuilder().setReason(reason).setDomain("spread-sidecar").build();
    return StatusProto.toStatusRuntimeException(
        com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage(reason).addDetails(Any.pack(info)).build());
  }

  private static void attach(StreamObserver<ReceiveResponse> stream, long nextSequence) {
    ReceiveAttached attached = ReceiveAttached.newBuilder().setNextSequence(nextSequence).build();
    stream.onNext(ReceiveResponse.newBuilder().setAttached(attached).build());
  }

  private static void deliver(StreamObserver<ReceiveResponse> stream, long... sequences) {
    EventBatch.Builder batch = EventBatch.newBuilder();
    for (long sequence : sequences)
      batch.addEvents(Event.newBuilder().setSequence(sequence).setSelfLeave(SelfLeave.getDefaultInstance()));
    stream.onNext(ReceiveResponse.newBuilder().setBatch(batch).build());
  }

  @Test
  void aJoinInTheBackgroundFailsIfItsResponseHasNoView() {
    Mailbox mailbox = sidecar.connect();
    Throwable failure =
        assertThrows(ExecutionException.class, () -> mailbox.joinAsync("g", Duration.ofSeconds(10)).get()).getCause();
    SpreadException error = (SpreadException) failure;
    assertEquals(Status.Code.INTERNAL, error.status());
    assertEquals("the response of Join has no view", error.getMessage());
  }

  @Test
  void theErrorOfWaitForReadyNamesTheLastFailure() throws Exception {
    CompletableFuture<Void> waiting =
        CompletableFuture.runAsync(() -> sidecar.waitForReady(Duration.ofMillis(1000), false));
    next(service.versions).onError(Status.UNAVAILABLE.withDescription("the cause").asRuntimeException());
    // The second call gets no response, so that the deadline ends it.
    next(service.versions);
    Throwable failure = assertThrows(ExecutionException.class, waiting::get).getCause();
    SpreadException error = (SpreadException) failure;
    assertEquals(Status.Code.DEADLINE_EXCEEDED, error.status());
    assertTrue(error.getMessage().endsWith(" was not ready within 1000 ms: the cause"), error.getMessage());
  }

  @Test
  void anAttemptToAttachWithoutAFrameIsRepeated() throws Exception {
    Mailbox mailbox =
        sidecar.connect(new MailboxOptions().autoReceive(true).heartbeatInterval(Duration.ofMillis(100)));
    next(service.receivers);
    StreamObserver<ReceiveResponse> second = next(service.receivers);
    attach(second, 1);
    deliver(second, 1);
    assertEquals(1, mailbox.receive().sequence());
  }

  @Test
  void aSilentStreamIsReplaced() throws Exception {
    List<String> notices = new ArrayList<>();
    Mailbox mailbox =
        sidecar.connect(
            new MailboxOptions()
                .autoReceive(true)
                .heartbeatInterval(Duration.ofMillis(100))
                .onNotice(notice -> notices.add(notice.toString())));
    attach(next(service.receivers), 1);
    StreamObserver<ReceiveResponse> second = next(service.receivers);
    assertTrue(notices.get(1).contains("the sidecar sent no frame for 300 ms"), notices.toString());
    attach(second, 1);
    deliver(second, 1);
    assertEquals(1, mailbox.receive().sequence());
  }

  @Test
  void aFailedDisconnectOfAnEndedMailboxReturnsFalse() throws Exception {
    Mailbox mailbox = sidecar.connect();
    CompletableFuture<Boolean> disconnect = CompletableFuture.supplyAsync(mailbox::disconnect);
    next(service.disconnects).onError(errorOf(Status.Code.RESOURCE_EXHAUSTED, "SLOW_CONSUMER"));
    assertFalse(disconnect.get());
  }

  @Test
  void aDisconnectDoesNotWaitForAFullInbox() throws Exception {
    // A client that waits for the end of the stream always needs 1 s. Several attempts, because this machine can stop
    // for a second too.
    boolean isFast = false;
    for (int attempt = 0; attempt < 3 && !isFast; attempt += 1)
      isFast = nanosOfDisconnectWithFullInbox() < TimeUnit.MILLISECONDS.toNanos(950);
    assertTrue(isFast);
  }

  private long nanosOfDisconnectWithFullInbox() throws InterruptedException {
    Mailbox mailbox = sidecar.connect(new MailboxOptions().autoReceive(true).maxBufferedEvents(2));
    StreamObserver<ReceiveResponse> stream = next(service.receivers);
    attach(stream, 1);
    Thread disconnecting = new Thread(mailbox::disconnect);
    disconnecting.start();
    StreamObserver<DisconnectResponse> response = next(service.disconnects);
    long begin = System.nanoTime();
    response.onNext(DisconnectResponse.newBuilder().setWasOpen(true).build());
    response.onCompleted();
    // Only the wait for the last events has a time limit.
    while (disconnecting.getState() != Thread.State.TIMED_WAITING && disconnecting.isAlive()) Thread.onSpinWait();
    deliver(stream, 1, 2);
    disconnecting.join();
    long nanos = System.nanoTime() - begin;
    assertEquals(2, mailbox.receiveMany(10).size());
    return nanos;
  }

  private Mailbox acknowledgingMailbox() throws InterruptedException {
    Mailbox mailbox = sidecar.connect(new MailboxOptions().acknowledgement(AcknowledgementMode.EXPLICIT));
    assertThrows(SpreadException.class, () -> mailbox.receive(Duration.ZERO));
    StreamObserver<ReceiveResponse> stream = next(service.receivers);
    attach(stream, 1);
    deliver(stream, 1, 2);
    mailbox.receive();
    mailbox.receive();
    return mailbox;
  }

  @Test
  void aRetryableAcknowledgementIsRepeated() throws Exception {
    Mailbox mailbox = acknowledgingMailbox();
    next(service.acknowledgements).onError(Status.RESOURCE_EXHAUSTED.asRuntimeException());
    next(service.acknowledgements);
    assertThrows(SpreadException.class, () -> mailbox.receive(Duration.ZERO));
  }

  @Test
  void anInvalidAcknowledgementEndsReceiving() throws Exception {
    Mailbox mailbox = acknowledgingMailbox();
    next(service.acknowledgements).onError(errorOf(Status.Code.INVALID_ARGUMENT, "FIELD_INVALID"));
    assertEquals("FIELD_INVALID", assertThrows(SpreadException.class, mailbox::receive).reason());
  }

  private Sender sender(SenderOptions options) throws InterruptedException {
    Sender sender = sidecar.connect().sender(options);
    assertTrue(next(service.frames).getOpen().getRespondsOnRequest());
    return sender;
  }

  private static OutgoingMessage message() {
    return OutgoingMessage.to(ServiceType.FIFO, "g", new byte[10]);
  }

  private static void respond(StreamObserver<MulticastStreamResponse> stream, long decided) {
    stream.onNext(MulticastStreamResponse.newBuilder().setDecided(decided).setAccepted(decided).build());
  }

  @Test
  void aFlushRequestsAResponse() throws Exception {
    Sender sender = sender(new SenderOptions());
    sender.send(message());
    assertFalse(next(service.frames).getBatch().getRespond());
    CompletableFuture<Sender.Progress> flush = CompletableFuture.supplyAsync(sender::flush);
    MulticastStreamRequest frame = next(service.frames);
    assertTrue(frame.getBatch().getRespond());
    assertEquals(0, frame.getBatch().getMessagesCount());
    respond(next(service.senders), 1);
    assertEquals(new Sender.Progress(1, 1, 1), flush.get());
  }

  @Test
  void aSenderFailsIfTheSidecarDecidesUnwrittenMessages() throws Exception {
    Sender sender = sender(new SenderOptions());
    sender.send(message());
    next(service.frames);
    respond(next(service.senders), 2);
    SpreadException error = assertThrows(SpreadException.class, sender::close);
    assertEquals(Status.Code.INTERNAL, error.status());
    assertEquals(SpreadException.Outcome.UNKNOWN, error.outcome().orElseThrow());
    assertEquals(
        "the response of MulticastStream decides 2 messages, but the client has written only 1", error.getMessage());
    assertEquals(1, sender.undecided().size());
  }

  @Test
  void aSenderFailsIfTheSidecarEndsItsStreamTooEarly() throws Exception {
    Sender sender = sender(new SenderOptions());
    sender.send(message());
    CompletableFuture<Sender.Progress> flush = CompletableFuture.supplyAsync(sender::flush);
    next(service.frames);
    next(service.senders).onCompleted();
    SpreadException error =
        (SpreadException) assertThrows(ExecutionException.class, flush::get).getCause();
    assertEquals(Status.Code.UNAVAILABLE, error.status());
    assertEquals(SpreadException.Outcome.UNKNOWN, error.outcome().orElseThrow());
    // S7: later calls fail with the same error.
    error = assertThrows(SpreadException.class, () -> sender.send(message()));
    assertEquals(Status.Code.UNAVAILABLE, error.status());
    assertEquals(SpreadException.Outcome.UNKNOWN, error.outcome().orElseThrow());
  }

  @Test
  void theEndOfAMailboxLeavesTheOutcomeOfUndecidedMessagesUnknown() throws Exception {
    Mailbox mailbox = sidecar.connect();
    Sender sender = mailbox.sender(new SenderOptions());
    sender.send(message());
    mailbox.detach();
    SpreadException error = assertThrows(SpreadException.class, sender::close);
    assertEquals("ILLEGAL_SESSION", error.reason());
    assertEquals(SpreadException.Outcome.UNKNOWN, error.outcome().orElseThrow());
  }
}
