package org.spreadsidecar.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The channel with this package's rules for calls: a deadline for each, and SpreadException for failures. */
final class Rpc {
  final Channel channel;
  final ScheduledExecutorService timers;
  private final Duration callTimeout;
  private final boolean tokenMayChange;

  Rpc(Channel channel, ScheduledExecutorService timers, Duration callTimeout, boolean tokenMayChange) {
    this.channel = channel;
    this.timers = timers;
    this.callTimeout = callTimeout;
    this.tokenMayChange = tokenMayChange;
  }

  /** Whether a later call may fare better: the way was cut, or a token was not taken that will be asked for anew. */
  boolean mayPass(SpreadException error) {
    return Errors.isTransportFailure(error)
        || (tokenMayChange && error.status() == io.grpc.Status.Code.UNAUTHENTICATED);
  }

  <Q, A> A call(MethodDescriptor<Q, A> method, Q request, Duration timeout) {
    return call(method, request, timeout, false);
  }

  <Q, A> A call(MethodDescriptor<Q, A> method, Q request, Duration timeout, boolean send) {
    return call(channel, method, request, timeout, send);
  }

  <Q, A> A call(Channel on, MethodDescriptor<Q, A> method, Q request, Duration timeout, boolean send) {
    Duration time = timeout == null ? callTimeout : timeout;
    if (time.isZero() || time.isNegative()) throw Errors.field("timeout", "more than 0", time);
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(time.toNanos(), TimeUnit.NANOSECONDS);
    try {
      return ClientCalls.blockingUnaryCall(on, method, options, request);
    } catch (RuntimeException error) {
      throw Errors.of(error, send);
    }
  }

  /** A call in the background; its failure is told, its answer is not. */
  <Q, A> void begin(MethodDescriptor<Q, A> method, Q request, Consumer<SpreadException> done) {
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(callTimeout.toNanos(), TimeUnit.NANOSECONDS);
    ClientCalls.asyncUnaryCall(
        channel.newCall(method, options),
        request,
        new io.grpc.stub.StreamObserver<A>() {
          @Override
          public void onNext(A answer) {}

          @Override
          public void onError(Throwable error) {
            done.accept(Errors.of(error, false));
          }

          @Override
          public void onCompleted() {
            done.accept(null);
          }
        });
  }

  <Q, A> ClientCall<Q, A> stream(MethodDescriptor<Q, A> method) {
    return channel.newCall(method, CallOptions.DEFAULT);
  }
}
