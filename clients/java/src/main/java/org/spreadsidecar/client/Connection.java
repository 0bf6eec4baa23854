package org.spreadsidecar.client;

import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.ByteArrayInputStream;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;

/** A gRPC channel with its own threads, which end with it. */
record Connection(ManagedChannel channel, EventLoopGroup group) {
  private static final int WINDOW_BYTES = 1024 * 1024;
  private static final int LARGEST_MESSAGE_BYTES = 64 * 1024 * 1024;
  private static final long CLOSING_MS = 5000;

  static Connection open(SidecarOptions options, Target target, ExecutorService background) {
    ThreadFactory threads = new DefaultThreadFactory("spread-sidecar-io", true);
    boolean epoll = Epoll.isAvailable();
    boolean unix = target.isUnix();
    if (unix && !epoll)
      throw Errors.option(
          "target",
          "host:port where Netty's epoll is not available",
          "target "
              + options.target
              + " is a Unix socket, for which Netty's epoll is not available on this system; use host:port");
    EventLoopGroup group = epoll ? new EpollEventLoopGroup(1, threads) : new NioEventLoopGroup(1, threads);
    try {
      NettyChannelBuilder builder;
      if (unix) {
        builder =
            NettyChannelBuilder.forAddress(new DomainSocketAddress(target.path()))
                .channelType(EpollDomainSocketChannel.class)
                // gRPC sets this option for every channel. Netty logs a warning for Unix sockets, which do not have
                // it.
                .withOption(ChannelOption.SO_KEEPALIVE, null)
                // Libraries send different authorities for a path. The certificates of sidecars contain localhost.
                .overrideAuthority("localhost");
      } else {
        // An IPv6 address in brackets is not a valid URI path, and therefore not a target of gRPC.
        builder =
            target.host().contains(":")
                ? NettyChannelBuilder.forAddress(target.host(), target.port())
                : NettyChannelBuilder.forTarget("dns:///" + target.host() + ":" + target.port());
        builder.channelType(epoll ? EpollSocketChannel.class : NioSocketChannel.class);
      }
      builder
          .eventLoopGroup(group)
          // The callbacks are short: they run in the thread that read the bytes.
          .directExecutor()
          .offloadExecutor(background)
          // A sidecar is local or near: do not use the proxy of the environment.
          .proxyDetector(address -> null)
          .flowControlWindow(WINDOW_BYTES)
          .maxInboundMessageSize(LARGEST_MESSAGE_BYTES)
          .keepAliveTime(options.connectionKeepAlive.toNanos(), TimeUnit.NANOSECONDS)
          .keepAliveTimeout(options.connectionKeepAlive.toNanos() / 2, TimeUnit.NANOSECONDS)
          .disableRetry();
      if (options.tls == null) builder.usePlaintext();
      else secure(builder, options.tls);
      return new Connection(builder.build(), group);
    } catch (RuntimeException error) {
      group.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
      throw error;
    }
  }

  private static void secure(NettyChannelBuilder builder, TlsOptions tls) {
    if ((tls.certificate() == null) != (tls.key() == null))
      throw Errors.option(
          "tls",
          "with both certificate and key, or with neither",
          tls.key() == null
              ? "tls.certificate is set without tls.key; set both or neither"
              : "tls.key is set without tls.certificate; set both or neither");
    try {
      SslContextBuilder context = GrpcSslContexts.forClient();
      if (tls.ca() != null) context.trustManager(new ByteArrayInputStream(tls.ca()));
      if (tls.certificate() != null)
        context.keyManager(new ByteArrayInputStream(tls.certificate()), new ByteArrayInputStream(tls.key()));
      builder.useTransportSecurity().sslContext(context.build());
      if (tls.serverName() != null) builder.overrideAuthority(tls.serverName());
    } catch (SSLException | IllegalArgumentException error) {
      throw Errors.option(
          "tls", "certificates and a key in PEM", "tls has an invalid certificate or key: " + error.getMessage());
    }
  }

  void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(CLOSING_MS, TimeUnit.MILLISECONDS);
      group.shutdownGracefully(0, CLOSING_MS, TimeUnit.MILLISECONDS).await(CLOSING_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
