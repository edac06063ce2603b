package dev.berth.portlayer.tether;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.AttributeKey;
import io.netty.util.ReferenceCountUtil;

/**
 * Passes what one channel reads to the channel it is joined with, no faster than that one takes it.
 * What comes while there is none is dropped: a session begins with a handshake that expects so.
 */
abstract class SerialRelay extends ChannelInboundHandlerAdapter {
  private static final AttributeKey<Channel> OTHER =
      AttributeKey.valueOf(SerialRelay.class, "other");

  /** Joins two channels in both directions. */
  static void join(Channel one, Channel other) {
    one.attr(OTHER).set(other);
    other.attr(OTHER).set(one);
  }

  /** Ends what {@link #join} began, for one of the two. */
  static void part(Channel one) {
    one.attr(OTHER).set(null);
    one.config().setAutoRead(true);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Channel other = context.channel().attr(OTHER).get();
    if (other == null) {
      ReferenceCountUtil.release(message);
      return;
    }
    var _ = other.writeAndFlush(message);
    if (!other.isWritable()) {
      context.channel().config().setAutoRead(false);
      // It may have become writable between the two lines.
      if (other.isWritable()) {
        context.channel().config().setAutoRead(true);
      }
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    Channel other = context.channel().attr(OTHER).get();
    if (other != null && context.channel().isWritable()) {
      other.config().setAutoRead(true);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    var _ = context.close();
  }
}
