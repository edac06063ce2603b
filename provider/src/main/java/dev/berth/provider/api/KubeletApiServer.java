package dev.berth.provider.api;

import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.provider.api.auth.Authenticator;
import dev.berth.provider.api.auth.Authorizer;
import dev.berth.provider.api.auth.ServerTls;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The kubelet's HTTPS API. A request is served by one virtual thread that blocks; Netty's event
 * loops only move bytes.
 */
public final class KubeletApiServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(KubeletApiServer.class);

  private static final int LARGEST_BODY = 64 * 1024;
  private static final int LISTEN_BACKLOG = 1024;
  private static final Duration KEEP_ALIVE = Duration.ofMinutes(5);
  private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(5);

  private final KubeletApiConfiguration configuration;
  private final EventLoopGroup eventLoops =
      new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
  private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
  private final RequestDispatcher dispatcher;
  private final Channel listener;

  private KubeletApiServer(KubeletApiConfiguration configuration, RequestDispatcher dispatcher) {
    this.configuration = configuration;
    this.dispatcher = dispatcher;
    try {
      var tls =
          new ServerTls(
              configuration.certificate(),
              configuration.privateKey(),
              configuration.clientAuthority());
      this.listener = listen(tls);
    } catch (RuntimeException e) {
      var _ = eventLoops.shutdownGracefully();
      throw e;
    }
  }

  /**
   * Begins to listen.
   *
   * @param meters where the API counts its requests, and what {@code /metrics} shows
   * @throws IllegalArgumentException when a certificate or key cannot be used
   * @throws IllegalStateException when the address is taken or not of this machine
   */
  public static KubeletApiServer start(
      KubeletApiConfiguration configuration,
      PodDirectory directory,
      InteractionService interaction,
      Authenticator authenticator,
      Authorizer authorizer,
      PrometheusMeterRegistry meters) {
    var statistics = new ResourceStatistics(configuration.nodeName(), directory, interaction);
    var node = new NodeEndpoints(directory, statistics, meters, configuration);
    var routes = new Routes(directory, interaction, configuration, node);
    var gatekeeper = new Gatekeeper(authenticator, authorizer);
    return new KubeletApiServer(configuration, new RequestDispatcher(gatekeeper, routes, meters));
  }

  private Channel listen(ServerTls tls) {
    var bootstrap =
        new ServerBootstrap()
            .group(eventLoops)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, LISTEN_BACKLOG)
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childHandler(new ConnectionSetup(tls, connections, dispatcher::dispatch));
    var bound = bootstrap.bind(configuration.address()).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IllegalStateException(
          "Cannot listen on %s: %s".formatted(configuration.address(), bound.cause().getMessage()),
          bound.cause());
    }
    log.info("The kubelet's API listens on {}", bound.channel().localAddress());
    return bound.channel();
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) listener.localAddress();
  }

  /**
   * Takes no more connections, lets requests that run go on for the drain timeout, then ends them.
   * Idempotent.
   */
  @Override
  public void close() {
    listener.close().awaitUninterruptibly();
    if (!dispatcher.drain(configuration.drainTimeout())) {
      log.info("Ending {} requests that still run", dispatcher.running());
    }
    connections.close().awaitUninterruptibly(SHUTDOWN_TIMEOUT.toMillis());
    eventLoops
        .shutdownGracefully(0, SHUTDOWN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(SHUTDOWN_TIMEOUT.toMillis());
  }

  /** TLS, then HTTP/1.1: the API server upgrades over nothing newer. */
  private static final class ConnectionSetup extends ChannelInitializer<SocketChannel> {
    private final ServerTls tls;
    private final ChannelGroup connections;
    private final Consumer<Exchange> dispatcher;

    ConnectionSetup(ServerTls tls, ChannelGroup connections, Consumer<Exchange> dispatcher) {
      this.tls = tls;
      this.connections = connections;
      this.dispatcher = dispatcher;
    }

    @Override
    protected void initChannel(SocketChannel channel) {
      connections.add(channel);
      var handler = tls.context().newHandler(channel.alloc());
      handler.setHandshakeTimeoutMillis(HANDSHAKE_TIMEOUT.toMillis());
      channel
          .pipeline()
          .addLast(handler)
          .addLast(new HttpServerCodec())
          .addLast(new IdleStateHandler(0, 0, KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS))
          .addLast(new HttpObjectAggregator(LARGEST_BODY))
          .addLast(new HttpConnectionHandler(dispatcher));
    }
  }
}
