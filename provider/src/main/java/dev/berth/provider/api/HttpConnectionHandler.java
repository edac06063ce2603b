package dev.berth.provider.api;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.timeout.IdleStateEvent;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives each request of a connection a virtual thread, one request at a time. */
final class HttpConnectionHandler extends SimpleChannelInboundHandler<FullHttpRequest> {
  private static final Logger log = LoggerFactory.getLogger(HttpConnectionHandler.class);

  private final Consumer<Exchange> dispatcher;
  private volatile boolean busy;

  HttpConnectionHandler(Consumer<Exchange> dispatcher) {
    this.dispatcher = dispatcher;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, FullHttpRequest message) {
    if (busy || message.decoderResult().isFailure()) {
      // Nobody who speaks to a kubelet pipelines requests, and a malformed one can't be answered.
      var _ = context.close();
      return;
    }
    busy = true;
    FullHttpRequest request = message.retain();
    boolean keepAlive = HttpUtil.isKeepAlive(request);
    Thread.ofVirtual().name("kubelet-api").start(() -> serve(context, request, keepAlive));
  }

  private void serve(ChannelHandlerContext context, FullHttpRequest request, boolean keepAlive) {
    try {
      dispatcher.accept(
          new Exchange(context.channel(), request, ApiRequest.of(request), keepAlive));
    } catch (RuntimeException e) {
      log.warn("A request of {} failed", context.channel().remoteAddress(), e);
      var _ = context.close();
    } finally {
      busy = false;
      request.release();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof IdleStateEvent && !busy) {
      var _ = context.close();
    } else {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    log.debug("Connection of {} failed: {}", context.channel().remoteAddress(), cause.toString());
    var _ = context.close();
  }
}
