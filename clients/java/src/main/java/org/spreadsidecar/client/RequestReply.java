package org.spreadsidecar.client;

import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.spreadsidecar.client.SpreadEvent.ConnectionLost;
import org.spreadsidecar.client.SpreadEvent.RegularMessage;
import org.spreadsidecar.client.SpreadEvent.SelfLeaveMessage;
import org.spreadsidecar.client.SpreadEvent.ViewMessage;

/**
 * Makes and handles requests over a mailbox of its own. {@link SpreadSidecar#openRequestReply} opens it. The project's
 * docs/request-reply.md has the rules.
 */
public final class RequestReply implements AutoCloseable {
  /** The header with the status of a reply that is not the result of a handler. */
  private static final String REPLY_STATUS = "reply-status";

  private static final int MAX_OPEN_REQUESTS = 10_000;
  /** Maximum number of messages that wait for the thread that sends for threads that must not block. */
  private static final int MAX_WAITING_SENDS = 2 * MAX_OPEN_REQUESTS;
  /** Largest message of a failed handler. Unit: bytes. */
  private static final int MAX_ERROR_BYTES = 1000;
  private static final int MAX_EVENTS_AT_ONCE = 1000;
  private static final Duration MAX_TIMEOUT = Duration.ofDays(10_000);

  /**
   * The number of open requests, and of the replies that had no effect.
   *
   * @param open number of open requests
   * @param lateReplies number of replies to requests that had ended
   * @param duplicateReplies number of further replies of a member to the same request
   */
  public record Statistics(int open, long lateReplies, long duplicateReplies) {}

  private static final class OpenRequest {
    final String id;
    final PendingRequest pending;
    /** The thread that receives completes it, so its dependents must not block. */
    final CompletableFuture<Replies> done = new CompletableFuture<>();
    ScheduledFuture<?> timer;
    boolean isSent;

    OpenRequest(String id, PendingRequest pending) {
      this.id = id;
      this.pending = pending;
    }
  }

  /** @param group the group, or the private group of this member */
  private record Job(RegularMessage message, String group) {}

  private final Mailbox mailbox;
  private final Rpc rpc;
  private final Consumer<SpreadEvent> onEvent;
  private final String prefix;
  private final Thread receiving;
  private final ThreadPoolExecutor sending;
  private final RequestSender sender;

  // The lock guards all fields below. No call waits for anything while it holds the lock.
  private final Object lock = new Object();
  private final Map<String, OpenRequest> open = new LinkedHashMap<>();
  /** By group, in the order in which they were opened (Q11). */
  private final Map<String, ServiceQueue<Job>> services = new LinkedHashMap<>();
  /** All queues with threads, also of services that have stopped. */
  private final Set<ServiceQueue<Job>> queues = new HashSet<>();
  /** The members of each group that the mailbox is in, in the order of the view. */
  private final Map<String, List<String>> members = new HashMap<>();
  private final Map<String, CompletableFuture<Void>> joined = new HashMap<>();
  private final Map<String, CompletableFuture<Void>> leaving = new HashMap<>();
  private long counter;
  private long late;
  private long duplicate;
  private SpreadException end;

  RequestReply(Mailbox mailbox, Rpc rpc, Consumer<SpreadEvent> onEvent) {
    this.mailbox = mailbox;
    this.rpc = rpc;
    this.onEvent = onEvent;
    this.prefix = String.format("%016x-", new SecureRandom().nextLong());
    this.sender = new RequestSender(mailbox);
    sending =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING_SENDS),
            task -> daemon(task, "spread-replies-" + mailbox.privateGroup()));
    sending.allowCoreThreadTimeOut(true);
    receiving = daemon(this::receive, "spread-requests-" + mailbox.privateGroup());
    receiving.start();
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /** The private group, to which requests can go too. */
  public String privateGroup() {
    return mailbox.privateGroup();
  }

  /** The number of open requests, and of the replies that came too late or a second time. */
  public Statistics statistics() {
    synchronized (lock) {
      return new Statistics(open.size(), late, duplicate);
    }
  }

  /** Sends a request with the default options: waits for one reply, for at most 30 s. */
  public Replies request(String target, byte[] payload) {
    return request(target, payload, new RequestOptions());
  }

  /**
   * Sends a request to a group or a private group, and waits for the replies. With {@link RequestOptions#allReplies},
   * joins the group first, because only members know the view. Returns the replies, also if some are missing. Fails
   * if the request was not sent, or if the mailbox ended. An interrupt cancels the request.
   */
  public Replies request(String target, byte[] payload, RequestOptions options) {
    OpenRequest request = begin(target, payload, options);
    try {
      return request.done.get();
    } catch (InterruptedException e) {
      SpreadException error = Errors.interrupted("interrupted while waiting for replies", e);
      fail(request, error);
      throw error;
    } catch (ExecutionException e) {
      throw errorOf(e).again();
    }
  }

  /** Sends a request with the default options, without waiting for the reply. */
  public CompletableFuture<Replies> requestAsync(String target, byte[] payload) {
    return requestAsync(target, payload, new RequestOptions());
  }

  /**
   * Sends a request as {@link #request(String, byte[], RequestOptions)} does, but does not wait for the replies. The
   * default executor of CompletableFuture completes the future, so its dependents may block. If the request fails,
   * the future completes with a {@link SpreadException}. A cancellation of the future cancels the request.
   */
  public CompletableFuture<Replies> requestAsync(String target, byte[] payload, RequestOptions options) {
    CompletableFuture<Replies> result = new CompletableFuture<>();
    OpenRequest request;
    try {
      request = begin(target, payload, options);
    } catch (SpreadException error) {
      result.completeExceptionally(error);
      return result;
    }
    request.done.whenComplete(
        (replies, error) ->
            result
                .defaultExecutor()
                .execute(
                    () -> {
                      if (error == null) result.complete(replies);
                      else result.completeExceptionally(errorOf(error));
                    }));
    result.whenComplete(
        // No effect if the request has ended.
        (replies, error) ->
            fail(request, SpreadException.local(Status.Code.CANCELLED, "cancelled while waiting for replies")));
    return result;
  }

  /** Joins a group and handles its requests, one at a time. */
  public RequestService serve(String group, RequestHandler handler) {
    return serve(group, handler, new ServeOptions());
  }

  /**
   * Joins a group and handles its requests. A request to the private group goes to the service that has been open for
   * the longest time. Fails if the mailbox cannot join the group, or if this object already serves the group.
   */
  public RequestService serve(String group, RequestHandler handler, ServeOptions options) {
    Objects.requireNonNull(handler, "handler");
    ServiceQueue<Job> queue =
        new ServiceQueue<>(
            job -> handle(handler, job),
            "spread-handler-" + mailbox.privateGroup() + "-" + group,
            options.concurrency,
            options.maxQueued);
    synchronized (lock) {
      if (end != null) throw end.again();
      if (services.containsKey(group)) throw Errors.field("group", "a group that this object does not serve", group);
      services.put(group, queue);
      queues.removeIf(ServiceQueue::hasEnded);
      queues.add(queue);
    }
    try {
      Duration timeout = options.timeout == null ? rpc.callTimeout() : limited(options.timeout);
      await(member(group, timeout), timeout);
    } catch (SpreadException error) {
      withdraw(group, queue);
      throw error;
    }
    return new RequestService(group, timeout -> stop(group, queue, timeout));
  }

  /** Ends the mailbox. Open requests fail with ILLEGAL_SESSION. Interrupts the handlers that run. */
  @Override
  public void close() {
    endWith(Errors.disconnected());
    try {
      mailbox.close();
    } finally {
      if (Thread.currentThread() != receiving) awaitEnd(receiving);
    }
  }

  private static void awaitEnd(Thread thread) {
    try {
      thread.join(TimeUnit.SECONDS.toMillis(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private OpenRequest begin(String target, byte[] payload, RequestOptions options) {
    Objects.requireNonNull(payload, "payload");
    int messageType = options.messageType;
    ServiceType serviceType = options.serviceType;
    boolean joins = options.replies == PendingRequest.ALL && !PendingRequest.isPrivate(target);
    Duration timeout = limited(options.timeout);
    Map<String, String> headers = new LinkedHashMap<>(options.headers);
    OpenRequest request;
    synchronized (lock) {
      if (end != null) throw withOutcome(end, SpreadException.Outcome.NOT_SENT);
      if (open.size() >= MAX_OPEN_REQUESTS) throw tooManyRequests();
      counter += 1;
      request = new OpenRequest(prefix + counter, new PendingRequest(target, options.replies));
      try {
        request.timer = rpc.timers.schedule(() -> onTimeout(request), timeout.toNanos(), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException closed) {
        throw Errors.channelClosed();
      }
      open.put(request.id, request);
    }
    headers.put(Headers.CORRELATION_ID, request.id);
    Runnable send =
        () -> {
          headers.put(Headers.REPLY_TO, privateGroup());
          synchronized (lock) {
            if (open.get(request.id) != request) return;
            request.isSent = true;
          }
          sender.send(
              new OutgoingMessage(serviceType, List.of(target), payload, messageType, false, headers),
              error -> fail(request, error));
        };
    if (!joins) {
      send.run();
      return request;
    }
    CompletableFuture<Void> joining = member(target, timeout);
    if (joining.isDone() && !joining.isCompletedExceptionally()) send.run();
    else
      joining.whenComplete(
          (none, error) -> {
            if (error != null) fail(request, errorOf(error));
            else later(send, () -> fail(request, tooManyRequests()));
          });
    return request;
  }

  /** A timeout that fits in a number of nanoseconds. */
  private static Duration limited(Duration timeout) {
    return timeout.compareTo(MAX_TIMEOUT) > 0 ? MAX_TIMEOUT : timeout;
  }

  /** Runs the task in another thread, because this thread must not wait until the client can send. */
  private void later(Runnable task, Runnable onRejected) {
    try {
      sending.execute(task);
    } catch (RejectedExecutionException full) {
      onRejected.run();
    }
  }

  private void onTimeout(OpenRequest request) {
    synchronized (lock) {
      if (!request.isSent) {
        fail(request, joinTimeout());
        return;
      }
      request.pending.timeOut();
      settle(request);
    }
  }

  /** Completes when the mailbox is a member of the group and the daemon has its view. */
  private CompletableFuture<Void> member(String group, Duration timeout) {
    synchronized (lock) {
      CompletableFuture<Void> known = joined.get(group);
      if (known != null) return known;
      // Another caller with a longer timeout may wait for the same call.
      Duration longest = timeout.compareTo(rpc.callTimeout()) > 0 ? timeout : rpc.callTimeout();
      CompletableFuture<Void> joining =
          leaving
              .getOrDefault(group, CompletableFuture.completedFuture(null))
              .thenCompose(none -> mailbox.joinAsync(group, longest));
      joined.put(group, joining);
      joining.whenComplete(
          (none, error) -> {
            synchronized (lock) {
              if (error != null) joined.remove(group, joining);
            }
          });
      return joining;
    }
  }

  private static void await(CompletableFuture<Void> joining, Duration timeout) {
    try {
      joining.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw Errors.interrupted("interrupted while joining the group", e);
    } catch (TimeoutException e) {
      throw joinTimeout();
    } catch (ExecutionException e) {
      throw errorOf(e).again();
    }
  }

  /** Whether the service was open. Its waiting requests are rejected. */
  private boolean withdraw(String group, ServiceQueue<Job> queue) {
    synchronized (lock) {
      if (!services.remove(group, queue)) return false;
    }
    for (Job job : queue.stop()) decline(job.message(), "not-serving");
    return true;
  }

  private void stop(String group, ServiceQueue<Job> queue, Duration timeout) {
    if (!withdraw(group, queue)) return;
    CompletableFuture<Void> left = new CompletableFuture<>();
    synchronized (lock) {
      joined.remove(group);
      leaving.put(group, left);
    }
    try {
      mailbox.leave(group, true, timeout);
    } finally {
      synchronized (lock) {
        leaving.remove(group, left);
      }
      // A join of the same group waits for this.
      left.complete(null);
    }
  }

  private void receive() {
    try {
      for (; ; ) for (SpreadEvent event : mailbox.receiveMany(MAX_EVENTS_AT_ONCE)) onReceived(event);
    } catch (SpreadException error) {
      endWith(error);
    }
  }

  private void onReceived(SpreadEvent event) {
    if (event instanceof RegularMessage message && isCall(message)) return;
    if (event instanceof ViewMessage view) onView(view);
    else if (event instanceof SelfLeaveMessage leave) {
      synchronized (lock) {
        members.remove(leave.group());
      }
    } else if (event instanceof ConnectionLost) onConnectionLost();
    try {
      onEvent.accept(event);
    } catch (RuntimeException error) {
      report(error);
    }
  }

  /** As for a listener of events. */
  private static void report(Throwable error) {
    Thread thread = Thread.currentThread();
    thread.getUncaughtExceptionHandler().uncaughtException(thread, error);
  }

  /** Whether the message is a request or a reply. */
  private boolean isCall(RegularMessage message) {
    String id = message.headers().get(Headers.CORRELATION_ID);
    if (id == null) return false;
    if (message.headers().containsKey(Headers.REPLY_TO)) onRequest(id, message);
    else if (id.startsWith(prefix)) onReply(id, message);
    else return false;
    return true;
  }

  private void onReply(String id, RegularMessage message) {
    PendingRequest.Status status =
        switch (message.headers().getOrDefault(REPLY_STATUS, "")) {
          case "error" -> PendingRequest.Status.ERROR;
          case "not-serving" -> PendingRequest.Status.NOT_SERVING;
          case "overloaded" -> PendingRequest.Status.OVERLOADED;
          default -> PendingRequest.Status.OK;
        };
    boolean isError = status == PendingRequest.Status.ERROR;
    Reply reply =
        new Reply(
            message.sender(),
            isError ? new byte[0] : message.payload(),
            message.headers(),
            isError ? Optional.of(message.text()) : Optional.empty());
    synchronized (lock) {
      OpenRequest request = open.get(id);
      if (request == null) {
        late += 1;
        return;
      }
      if (!request.pending.answer(status, reply)) duplicate += 1;
      settle(request);
    }
  }

  private void onRequest(String id, RegularMessage message) {
    boolean isOwn = message.sender().equals(privateGroup());
    ServiceQueue<Job> queue = null;
    String group = privateGroup();
    synchronized (lock) {
      if (isOwn) onOwnRequest(id);
      for (String one : message.groups()) {
        queue = services.get(one);
        if (queue == null) continue;
        group = one;
        break;
      }
      if (queue == null && message.groups().contains(group) && !services.isEmpty())
        queue = services.values().iterator().next();
    }
    if (queue == null) {
      if (!isOwn) decline(message, "not-serving");
    } else if (!queue.add(new Job(message, group))) decline(message, "overloaded");
  }

  /** The view in which the requester receives its own request is the view in which all members receive it (Q3). */
  private void onOwnRequest(String id) {
    OpenRequest request = open.get(id);
    if (request == null) return;
    List<String> view = members.get(request.pending.target());
    if (view == null) return;
    List<String> expected = new ArrayList<>(view);
    if (!services.containsKey(request.pending.target())) expected.remove(privateGroup());
    request.pending.delivered(expected);
    settle(request);
  }

  private void onView(ViewMessage view) {
    Set<String> now = new HashSet<>(view.members());
    boolean isLoss = view.cause() == MembershipCause.DISCONNECT || view.cause() == MembershipCause.NETWORK;
    synchronized (lock) {
      members.put(view.group(), view.members());
      for (OpenRequest request : List.copyOf(open.values())) {
        if (request.pending.target().equals(view.group())) request.pending.view(now);
        else if (isLoss)
          for (String member : view.changedMembers()) if (!now.contains(member)) request.pending.disconnected(member);
        settle(request);
      }
    }
  }

  private void onConnectionLost() {
    synchronized (lock) {
      members.clear();
      // A request that waits for its join fails with the join.
      for (OpenRequest request : List.copyOf(open.values())) if (request.isSent) fail(request, connectionLost());
    }
  }

  /** Calls the handler, and returns what sends the reply. */
  private Runnable handle(RequestHandler handler, Job job) {
    RegularMessage message = job.message();
    try {
      HandlerReply reply =
          handler.handle(
              new IncomingRequest(
                  message.payload(), message.sender(), job.group(), message.messageType(), message.headers()));
      if (reply == null) return () -> answerError(message, "the handler returned null");
      return () -> answer(message, reply);
    } catch (Throwable error) {
      if (error instanceof Error) report(error);
      return () -> answerError(message, error.getMessage() == null ? error.toString() : error.getMessage());
    }
  }

  private void answer(RegularMessage request, HandlerReply reply) {
    // For example, the payload is too long. An error reply is short.
    send(
        request,
        reply.payload(),
        reply.headers(),
        null,
        error -> later(() -> answerError(request, error.getMessage()), () -> {}));
  }

  private void answerError(RegularMessage request, String text) {
    // If this reply fails too, the reply-to is malformed.
    send(request, cut(text), Map.of(), "error", error -> {});
  }

  /** Called by the thread that receives. If too many messages wait, the timeout of the requester ends the request. */
  private void decline(RegularMessage request, String status) {
    later(() -> send(request, new byte[0], Map.of(), status, error -> {}), () -> {});
  }

  private void send(
      RegularMessage request,
      byte[] payload,
      Map<String, String> more,
      String status,
      Consumer<SpreadException> onFailure) {
    synchronized (lock) {
      // Otherwise, handlers that close interrupts would reply with an error.
      if (end != null) return;
    }
    Map<String, String> headers = new LinkedHashMap<>(more);
    headers.put(Headers.CORRELATION_ID, request.headers().get(Headers.CORRELATION_ID));
    headers.remove(Headers.REPLY_TO);
    headers.remove(REPLY_STATUS);
    if (status != null) headers.put(REPLY_STATUS, status);
    List<String> target = List.of(request.headers().get(Headers.REPLY_TO));
    sender.send(new OutgoingMessage(ServiceType.AGREED, target, payload, 0, false, headers), onFailure);
  }

  /** The text in UTF-8, cut to a length that fits in a reply. */
  private static byte[] cut(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= MAX_ERROR_BYTES) return bytes;
    int length = MAX_ERROR_BYTES;
    // The bytes 10xxxxxx continue a character.
    while ((bytes[length] & 0xC0) == 0x80) length -= 1;
    return Arrays.copyOf(bytes, length);
  }

  private void settle(OpenRequest request) {
    synchronized (lock) {
      Optional<Replies> result = request.pending.result();
      if (result.isPresent() && forget(request)) request.done.complete(result.get());
    }
  }

  private void fail(OpenRequest request, SpreadException error) {
    synchronized (lock) {
      if (forget(request)) request.done.completeExceptionally(error);
    }
  }

  /** False if the request has already ended. */
  private boolean forget(OpenRequest request) {
    request.timer.cancel(false);
    return open.remove(request.id, request);
  }

  private void endWith(SpreadException error) {
    synchronized (lock) {
      if (end == null) end = error;
      services.clear();
      for (ServiceQueue<Job> queue : queues) {
        queue.stop();
        queue.interrupt();
      }
      queues.clear();
      for (OpenRequest request : List.copyOf(open.values()))
        fail(
            request,
            withOutcome(
                end, request.isSent ? SpreadException.Outcome.UNKNOWN : SpreadException.Outcome.NOT_SENT));
    }
    sending.shutdownNow();
  }

  private static SpreadException withOutcome(SpreadException error, SpreadException.Outcome outcome) {
    return error.with(error.getMessage(), error.metadata(), outcome, error.getCause());
  }

  private static SpreadException errorOf(Throwable thrown) {
    Throwable error = thrown;
    while ((error instanceof CompletionException || error instanceof ExecutionException) && error.getCause() != null)
      error = error.getCause();
    return Errors.of(error, false);
  }

  private static SpreadException tooManyRequests() {
    return new SpreadException(
        "too many requests are open; at most " + MAX_OPEN_REQUESTS + " are allowed",
        Status.Code.RESOURCE_EXHAUSTED,
        "TOO_MANY_CALLS",
        SpreadException.SIDECAR_DOMAIN,
        Map.of("limit", "requests", "bound", String.valueOf(MAX_OPEN_REQUESTS)),
        true,
        null,
        SpreadException.Outcome.NOT_SENT,
        null);
  }

  private static SpreadException joinTimeout() {
    return withOutcome(
        Errors.timeout("the timeout passed while joining the group"), SpreadException.Outcome.NOT_SENT);
  }

  private static SpreadException connectionLost() {
    return withOutcome(
        SpreadException.local(
            Status.Code.UNAVAILABLE, "the sidecar lost the daemon connection while the request waited for replies"),
        SpreadException.Outcome.UNKNOWN);
  }
}
