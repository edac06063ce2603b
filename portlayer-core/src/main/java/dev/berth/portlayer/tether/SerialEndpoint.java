package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Where hypervisors connect the control ports of containerVMs that are network serial ports: the
 * hypervisor dials, and dials again when the connection broke or the VM has moved to another host.
 *
 * <p>A connection does not say whose it is, so its guest is asked. The answer chooses among
 * connections and proves nothing: every session is authenticated by certificates in both
 * directions, and a connection that lies costs a failed session. A session uses the newest
 * connection of its containerVM, and after a failure the others in turn. One that stands goes on
 * when its connection is lost and another comes within a minute: no byte of it is lost.
 */
public final class SerialEndpoint implements AutoCloseable {
  private final EventLoopGroup network =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("serial", true), NioIoHandler.newFactory());
  private final EventLoopGroup sessions =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("serial-session", true), LocalIoHandler.newFactory());
  private final SerialLines lines = new SerialLines(sessions.next());
  private final LocalAddress sessionAddress = new LocalAddress(SerialEndpoint.class);
  private final Channel listener;

  /**
   * Listens from now on.
   *
   * @param address where; port 0 chooses one
   * @throws PortLayerException UNAVAILABLE when the address cannot be listened on
   */
  public SerialEndpoint(InetSocketAddress address) {
    ServerBootstrap dialled =
        new ServerBootstrap()
            .group(network)
            .channel(NioServerSocketChannel.class)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(handlers(channel -> SerialPort.handler(lines, channel)));
    ServerBootstrap sessionServer =
        new ServerBootstrap()
            .group(sessions)
            .channel(LocalServerChannel.class)
            .childHandler(handlers(channel -> new SerialSession(lines)));
    try {
      bind(sessionServer.bind(sessionAddress), sessionAddress);
      this.listener = bind(dialled.bind(address), address);
    } catch (PortLayerException e) {
      close();
      throw e;
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return (InetSocketAddress) listener.localAddress();
  }

  /** The address, within this process, to which a channel of {@link #newChannel} connects. */
  LocalAddress sessionAddress() {
    return sessionAddress;
  }

  /** The threads that channels of {@link #newChannel} run on. */
  EventLoopGroup sessions() {
    return sessions;
  }

  /** A channel that will be connected to a containerVM's control port. */
  Channel newChannel(String containerVmId) {
    LinkFrame.Nonce name = LinkFrame.Nonce.nameOf(containerVmId);
    LocalChannel channel = new LocalChannel();
    channel
        .pipeline()
        .addFirst(
            new ChannelInboundHandlerAdapter() {
              @Override
              public void channelActive(ChannelHandlerContext context) {
                // As an object: nothing is encoded within a process.
                var _ = context.writeAndFlush(name);
                context.fireChannelActive();
                context.pipeline().remove(this);
              }
            });
    return channel;
  }

  private static ChannelInitializer<Channel> handlers(
      Function<Channel, ChannelInboundHandlerAdapter> handler) {
    return new ChannelInitializer<>() {
      @Override
      protected void initChannel(Channel channel) {
        channel.pipeline().addLast(handler.apply(channel));
      }
    };
  }

  private static Channel bind(ChannelFuture binding, Object address) {
    binding.awaitUninterruptibly();
    if (!binding.isSuccess()) {
      throw new PortLayerException(
          Code.UNAVAILABLE,
          "cannot listen for serial ports on %s: %s"
              .formatted(address, binding.cause().getMessage()),
          binding.cause());
    }
    return binding.channel();
  }

  /** Ends every connection. Idempotent. */
  @Override
  public void close() {
    var _ = network.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    var _ = sessions.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
