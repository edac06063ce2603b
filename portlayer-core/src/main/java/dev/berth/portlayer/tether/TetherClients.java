package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.tether.NetworkChannel.Target;
import io.grpc.ManagedChannel;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLException;

/** Makes the clients of one VCH's tethers, which share threads and the control plane's identity. */
public final class TetherClients implements AutoCloseable {
  /** What virtio-serial carries in flight; fixed, because a window that grows overflows a guest. */
  private static final int VIRTIO_WINDOW = 256 * 1024;

  /** The same for an emulated 16550, which moves some hundred kilobytes a second. */
  private static final int SERIAL_WINDOW = 64 * 1024;

  /** As large as the guest's at its control interface. */
  private static final int NETWORK_WINDOW = 256 * 1024;

  /** A cable that is cut says nothing, so a guest that owes an answer is asked this often. */
  private static final Duration KEEP_ALIVE = Duration.ofSeconds(10);

  /** Longer than a migration's switch. */
  private static final Duration SILENCE = Duration.ofSeconds(20);

  private static final Duration HANDSHAKE_DEADLINE = Duration.ofSeconds(10);

  /** A session costs the guest memory; the next call opens another within milliseconds. */
  private static final Duration IDLE = Duration.ofSeconds(30);

  private final EventLoopGroup eventLoops =
      new MultiThreadIoEventLoopGroup(
          2, new DefaultThreadFactory("tether", true), NioIoHandler.newFactory());
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final Certificates.Issued identity;
  private final SslContext tls;

  public TetherClients(VchAuthority authority) {
    this.identity = authority.controlPlane();
    this.tls = tls(context -> context.trustManager(authority.certificate()));
  }

  private SslContext tls(UnaryOperator<SslContextBuilder> trust) {
    SslContextBuilder context =
        SslContextBuilder.forClient().keyManager(identity.key(), identity.certificate());
    try {
      // ChaCha20 first: a guest under emulation has no AES instructions worth the name.
      return GrpcSslContexts.configure(trust.apply(context), SslProvider.JDK)
          .protocols("TLSv1.3")
          .ciphers(List.of("TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"))
          .build();
    } catch (SSLException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot set up TLS 1.3 for the tethers", e);
    }
  }

  /**
   * A client for one containerVM; connects at its first call.
   *
   * @param socket the control port's Unix domain socket; at most 107 bytes long
   */
  public TetherClient client(String containerVmId, Path socket) {
    NettyChannelBuilder channel =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelFactory(() -> withHandshake(new NioDomainSocketChannel(), LinkFrame.Type.START))
            .eventLoopGroup(eventLoops)
            .flowControlWindow(VIRTIO_WINDOW);
    return new TetherClient(containerVmId, channel(containerVmId, tls, channel), Optional.empty());
  }

  /**
   * A client for one containerVM whose control port is dialled to an endpoint, and whose guest has
   * made its certificate itself. A call fails with UNAVAILABLE while the guest's is another one.
   *
   * <p>Where the guest is at a control interface as well, each session is tried there first, for a
   * second; after a failure the port is used alone for a minute.
   *
   * @param fingerprint the SHA-256 of the certificate in hexadecimal digits, asked for at each
   *     session; empty while the guest has not told it
   * @param network where its control interface listens, asked for at each call; empty where it has
   *     none
   */
  public TetherClient client(
      String containerVmId,
      SerialEndpoint endpoint,
      Supplier<Optional<String>> fingerprint,
      Supplier<Optional<InetSocketAddress>> network) {
    SslContext trusting =
        tls(context -> context.trustManager(new FingerprintTrust(containerVmId, fingerprint)));
    NettyChannelBuilder port =
        NettyChannelBuilder.forAddress(endpoint.sessionAddress())
            .channelFactory(
                () -> withHandshake(endpoint.newChannel(containerVmId), LinkFrame.Type.BEGIN))
            .eventLoopGroup(endpoint.sessions())
            .flowControlWindow(SERIAL_WINDOW);
    NetworkChannel preferred =
        new NetworkChannel(
            containerVmId,
            () ->
                fingerprint
                    .get()
                    .flatMap(told -> network.get().map(address -> new Target(address, told))),
            address -> channel(containerVmId, trusting, atInterface(address)),
            System::nanoTime);
    return new TetherClient(
        containerVmId, channel(containerVmId, trusting, port), Optional.of(preferred));
  }

  private NettyChannelBuilder atInterface(InetSocketAddress address) {
    return NettyChannelBuilder.forAddress(address)
        .channelType(NioSocketChannel.class)
        .eventLoopGroup(eventLoops)
        .withOption(
            ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) NetworkChannel.CONNECTION.toMillis())
        .flowControlWindow(NETWORK_WINDOW)
        .keepAliveTime(KEEP_ALIVE.toSeconds(), TimeUnit.SECONDS)
        .keepAliveTimeout(SILENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private ManagedChannel channel(
      String containerVmId, SslContext context, NettyChannelBuilder builder) {
    return builder
        .executor(executor)
        .offloadExecutor(executor)
        .sslContext(context)
        .overrideAuthority(VchAuthority.serverName(containerVmId))
        .idleTimeout(IDLE.toSeconds(), TimeUnit.SECONDS)
        .disableRetry()
        .build();
  }

  private static Channel withHandshake(Channel channel, LinkFrame.Type begin) {
    // Behind the handlers that the channel has: they make it what the handshake is spoken over.
    channel.pipeline().addLast(new LinkHandler(HANDSHAKE_DEADLINE, begin));
    return channel;
  }

  /** Ends what all clients do. Idempotent. */
  @Override
  public void close() {
    var _ = eventLoops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    executor.shutdown();
  }
}
