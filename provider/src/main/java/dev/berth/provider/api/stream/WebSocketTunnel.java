package dev.berth.provider.api.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.util.ReferenceCountUtil;

/** Carries the bytes of another protocol in the binary messages of a WebSocket. */
final class WebSocketTunnel extends ChannelDuplexHandler {
  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    switch (message) {
      case BinaryWebSocketFrame binary -> context.fireChannelRead(binary.content());
      case ContinuationWebSocketFrame more -> context.fireChannelRead(more.content());
      case PingWebSocketFrame ping -> {
        var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content()));
      }
      case CloseWebSocketFrame close ->
          context.writeAndFlush(close).addListener(ChannelFutureListener.CLOSE);
      default -> ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    Object carried = message instanceof ByteBuf bytes ? new BinaryWebSocketFrame(bytes) : message;
    var _ = context.write(carried, promise);
  }
}
