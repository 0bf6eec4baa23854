package org.spreadsidecar.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** The channel with a deadline for each call and SpreadException for failures. */
final class Rpc {
  final Channel channel;
  final ScheduledExecutorService timers;
  private final Duration callTimeout;
  /** Whether the client reads the token again for each call. */
  final boolean tokenMayChange;
  final Endpoint endpoint;
  private volatile boolean closed;

  Rpc(Channel channel, ScheduledExecutorService timers, Duration callTimeout, boolean tokenMayChange, Endpoint endpoint) {
    this.channel = channel;
    this.timers = timers;
    this.callTimeout = callTimeout;
    this.tokenMayChange = tokenMayChange;
    this.endpoint = endpoint;
  }

  /** The timeout of calls without their own timeout. */
  Duration callTimeout() {
    return callTimeout;
  }

  /** All later calls fail. */
  void close() {
    closed = true;
  }

  <Q, A> A call(MethodDescriptor<Q, A> method, Q request, Duration timeout) {
    return call(method, request, timeout, false);
  }

  <Q, A> A call(MethodDescriptor<Q, A> method, Q request, Duration timeout, boolean send) {
    return call(channel, method, request, timeout, send);
  }

  <Q, A> A call(Channel on, MethodDescriptor<Q, A> method, Q request, Duration timeout, boolean send) {
    if (closed) throw Errors.channelClosed();
    Duration time = timeout == null ? callTimeout : timeout;
    if (time.isZero() || time.isNegative()) throw Errors.field("timeout", "a duration, more than 0", time);
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS);
    ClientCall<Q, A> call = on.newCall(method, options);
    try {
      return ClientCalls.blockingUnaryCall(call, request);
    } catch (RuntimeException error) {
      throw endpoint.explain(error, method, call, send);
    }
  }

  /** Starts a call in the background. Reports its error and ignores its response. */
  <Q, A> void begin(MethodDescriptor<Q, A> method, Q request, Consumer<SpreadException> done) {
    begin(method, request, callTimeout, (answer, error) -> done.accept(error));
  }

  /** Starts a call in the background. Reports its response or its error; the other one is null. */
  <Q, A> void begin(
      MethodDescriptor<Q, A> method, Q request, Duration timeout, BiConsumer<A, SpreadException> done) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS);
    ClientCall<Q, A> call = channel.newCall(method, options);
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new io.grpc.stub.StreamObserver<A>() {
          private A answer;

          @Override
          public void onNext(A answer) {
            this.answer = answer;
          }

          @Override
          public void onError(Throwable error) {
            done.accept(null, endpoint.explain(error, method, call, false));
          }

          @Override
          public void onCompleted() {
            done.accept(answer, null);
          }
        });
  }

  <Q, A> ClientCall<Q, A> stream(MethodDescriptor<Q, A> method) {
    return channel.newCall(method, CallOptions.DEFAULT);
  }
}
