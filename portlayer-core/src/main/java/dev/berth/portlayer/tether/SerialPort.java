package dev.berth.portlayer.tether;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * One connection that a hypervisor dialled. Asks whose it is until the guest answers: it may boot
 * for long yet, or be the copy of a VM that has not arrived. Used by the thread of sessions alone,
 * to which the connection's own thread hands what happens.
 */
final class SerialPort {
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private final SerialLines lines;
  private final Channel channel;
  private final LinkScanner scanner = new LinkScanner();
  private final long opened = System.nanoTime();
  private LinkFrame.@Nullable Nonce name;
  private @Nullable SerialSession session;
  private @Nullable Future<?> asking;
  private @Nullable Future<?> releasing;

  private SerialPort(SerialLines lines, Channel channel) {
    this.lines = lines;
    this.channel = channel;
  }

  /** What the connection's own thread does. */
  static ChannelInboundHandlerAdapter handler(SerialLines lines, Channel channel) {
    SerialPort port = new SerialPort(lines, channel);
    return new ChannelInboundHandlerAdapter() {
      @Override
      public void channelActive(ChannelHandlerContext context) {
        lines.execute(port::ask);
      }

      @Override
      public void channelRead(ChannelHandlerContext context, Object message) {
        lines.execute(() -> port.receive((ByteBuf) message));
      }

      @Override
      public void channelInactive(ChannelHandlerContext context) {
        lines.execute(port::ended);
      }

      @Override
      public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var _ = context.close();
      }
    };
  }

  /** From now on, what comes is the session's; null: nobody's. */
  void carry(@Nullable SerialSession carried) {
    session = carried;
    setReading(true);
  }

  /** Whether more shall be read from the connection. */
  void setReading(boolean reading) {
    channel.config().setAutoRead(reading);
  }

  /** Ends the connection; a hypervisor whose VM is there dials again. */
  void close() {
    var _ = channel.close();
  }

  void send(byte[] bytes) {
    var _ = channel.writeAndFlush(Unpooled.wrappedBuffer(bytes));
  }

  void send(LinkFrame.Type type, LinkFrame.Nonce nonce) {
    send(new LinkFrame(type, nonce).bytes());
  }

  /** Asks, and again later: rarely after long waiting, as the guest will read every question. */
  private void ask() {
    send(LinkFrame.Type.WHO, LinkFrame.Nonce.random());
    long pause =
        Math.clamp(
            (System.nanoTime() - opened) / 20, SHORTEST_PAUSE.toNanos(), LONGEST_PAUSE.toNanos());
    asking = lines.schedule(this::ask, Duration.ofNanos(pause));
  }

  private void receive(ByteBuf bytes) {
    if (name != null && session == null) {
      bytes.release();
      return;
    }
    scanner.add(bytes);
    Optional<LinkScanner.Piece> piece = scanner.next();
    while (piece.isPresent()) {
      receive(piece.get());
      piece = scanner.next();
    }
    // What is held now is not what was held before, and has a time of its own.
    if (releasing != null) {
      releasing.cancel(false);
    }
    if (scanner.isHolding()) {
      releasing = lines.schedule(this::release, SerialSession.RELEASE_AFTER);
    }
  }

  private void receive(LinkScanner.Piece piece) {
    if (name == null) {
      if (piece.frame() != null && piece.is(LinkFrame.Type.NAME)) {
        name = piece.frame().nonce();
        stopAsking();
        lines.addPort(name, this);
      }
    } else if (session != null) {
      session.fromPort(this, piece);
    }
  }

  /** Gives up that what is held becomes a frame: a whole one comes at once. */
  private void release() {
    if (scanner.isHolding()) {
      receive(new LinkScanner.Piece(null, scanner.rest()));
    }
  }

  private void ended() {
    stopAsking();
    if (name != null) {
      lines.removePort(name, this);
    }
  }

  private void stopAsking() {
    if (asking != null) {
      asking.cancel(false);
    }
  }
}
