package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.net.ConnectException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Agrees with the guest on where a session begins. The stream below may hold bytes of earlier
 * sessions in either direction; so the channel is reported active only after the guest's READY to
 * our newest nonce, and all that came before is discarded. Then this handler leaves the pipeline.
 */
final class LinkHandler extends ChannelInboundHandlerAdapter {
  private static final Duration HELLO_INTERVAL = Duration.ofMillis(100);
  private static final Duration NONCE_LIFETIME = Duration.ofSeconds(2);

  private final Duration deadline;
  private final LinkFrame.Type begin;

  private final LinkScanner scanner = new LinkScanner();
  private LinkFrame.@Nullable Nonce nonce;
  private long nonceMade;
  private long begun;
  private boolean started;
  private @Nullable Future<?> repetition;

  /**
   * @param deadline how long the guest may take to answer
   * @param begin what begins the session: START, or BEGIN for a resumable one
   */
  LinkHandler(Duration deadline, LinkFrame.Type begin) {
    this.deadline = deadline;
    this.begin = begin;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    begun = System.nanoTime();
    renewNonce();
    greet(context);
    repetition =
        context
            .executor()
            .scheduleAtFixedRate(
                () -> greet(context),
                HELLO_INTERVAL.toMillis(),
                HELLO_INTERVAL.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    scanner.add((ByteBuf) message);
    Optional<LinkScanner.Piece> piece = scanner.next();
    while (piece.isPresent() && receive(context, piece.get().frame())) {
      piece = scanner.next();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    // Nothing was passed on that could be complete.
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stop();
    context.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext context) {
    stop();
  }

  private void greet(ChannelHandlerContext context) {
    long now = System.nanoTime();
    if (now - begun > deadline.toNanos()) {
      stop();
      context.fireExceptionCaught(
          new ConnectException(
              "the guest did not answer the handshake within %d ms"
                  .formatted(deadline.toMillis())));
      var _ = context.close();
      return;
    }
    if (now - nonceMade > NONCE_LIFETIME.toNanos()) {
      renewNonce();
    }
    if (!started) {
      send(context, LinkFrame.Type.HELLO);
    }
  }

  private void renewNonce() {
    nonce = LinkFrame.Nonce.random();
    nonceMade = System.nanoTime();
    started = false;
  }

  private void send(ChannelHandlerContext context, LinkFrame.Type type) {
    if (nonce != null) {
      var _ = context.writeAndFlush(Unpooled.wrappedBuffer(new LinkFrame(type, nonce).bytes()));
    }
  }

  /** Returns whether the handshake goes on. */
  private boolean receive(ChannelHandlerContext context, @Nullable LinkFrame frame) {
    if (frame == null || !frame.nonce().equals(nonce)) {
      return true;
    }
    if (frame.type() == LinkFrame.Type.READY && started) {
      open(context, scanner.rest());
      return false;
    }
    if (frame.type() == LinkFrame.Type.ACK && !started) {
      started = true;
      send(context, begin);
    }
    return true;
  }

  private void open(ChannelHandlerContext context, ByteString rest) {
    stop();
    context.fireChannelActive();
    if (!rest.isEmpty()) {
      context.fireChannelRead(Unpooled.wrappedBuffer(rest.asReadOnlyByteBuffer()));
      context.fireChannelReadComplete();
    }
    context.pipeline().remove(this);
  }

  private void stop() {
    if (repetition != null) {
      repetition.cancel(false);
      repetition = null;
    }
  }
}
