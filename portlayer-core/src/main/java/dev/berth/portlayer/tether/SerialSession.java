package dev.berth.portlayer.tether;

import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/** This process's end of a session; what it says first is the name of the containerVM it wants. */
final class SerialSession extends SerialRelay {
  private final SerialLines lines;
  private LinkFrame.@Nullable Nonce name;

  SerialSession(SerialLines lines) {
    this.lines = lines;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof LinkFrame.Nonce wanted) {
      name = wanted;
      lines.addSession(wanted, context.channel());
    } else {
      super.channelRead(context, message);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (name != null) {
      lines.removeSession(name, context.channel());
    }
  }
}
