package dev.berth.portlayer.tether;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One connection that a hypervisor dialled. Asks whose it is until the guest answers: it may boot
 * for long yet, or be the copy of a VM that has not arrived.
 */
final class SerialPort extends SerialRelay {
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private static final LinkFrame QUESTION =
      new LinkFrame(LinkFrame.Type.WHO, LinkFrame.Nonce.random());

  private final SerialLines lines;
  private final LinkScanner scanner = new LinkScanner();
  private LinkFrame.@Nullable Nonce name;
  private @Nullable Future<?> asking;
  private long opened;

  SerialPort(SerialLines lines) {
    this.lines = lines;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    opened = System.nanoTime();
    ask(context);
  }

  /** Asks, and again later: rarely after long waiting, as the guest will read every question. */
  private void ask(ChannelHandlerContext context) {
    var _ = context.writeAndFlush(Unpooled.wrappedBuffer(QUESTION.bytes()));
    long pause =
        Math.clamp(
            (System.nanoTime() - opened) / 20, SHORTEST_PAUSE.toNanos(), LONGEST_PAUSE.toNanos());
    asking = context.executor().schedule(() -> ask(context), pause, TimeUnit.NANOSECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (name != null) {
      super.channelRead(context, message);
      return;
    }
    scanner.add((ByteBuf) message);
    scanner.scan(frame -> receive(context, frame));
  }

  /** Returns whether the name is still to come. */
  private boolean receive(ChannelHandlerContext context, LinkFrame frame) {
    if (frame.type() != LinkFrame.Type.NAME) {
      return true;
    }
    name = frame.nonce();
    stopAsking();
    lines.addPort(frame.nonce(), context.channel());
    return false;
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stopAsking();
    if (name != null) {
      lines.removePort(name, context.channel());
    }
  }

  private void stopAsking() {
    if (asking != null) {
      asking.cancel(false);
    }
  }
}
