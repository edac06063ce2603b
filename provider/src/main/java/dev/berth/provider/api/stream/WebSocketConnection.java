package dev.berth.provider.api.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.timeout.IdleStateEvent;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Streams over a WebSocket: the first byte of each message is its channel. */
public final class WebSocketConnection extends SimpleChannelInboundHandler<WebSocketFrame>
    implements StreamingConnection {
  private static final Logger log = LoggerFactory.getLogger(WebSocketConnection.class);

  /** In v5, a message on this channel ends the channel that its one byte names. */
  private static final int CLOSE_CHANNEL = 255;

  private static final int MAXIMUM_MESSAGE = 32 * 1024;

  private final Channel channel;
  private final BoundedWriter writer;
  private final boolean halfClose;
  private final Map<Integer, InboundStream> inputs;

  /** The channel of the message that is arriving in pieces. Used on the event loop only. */
  private @Nullable InboundStream current;

  /**
   * @param inputChannels on which the client may send
   * @param halfClose whether the client can end them one by one
   */
  WebSocketConnection(Channel channel, Set<Integer> inputChannels, boolean halfClose) {
    this.channel = channel;
    this.writer = new BoundedWriter(channel);
    this.halfClose = halfClose;
    var budget = new ReadBudget(channel);
    this.inputs =
        inputChannels.stream()
            .collect(
                Collectors.toUnmodifiableMap(
                    Function.identity(), number -> new InboundStream(budget)));
  }

  @Override
  public Channel channel() {
    return channel;
  }

  /** What the client sends on a channel; empty for one on which it may not. */
  InputStream input(int number) {
    InboundStream input = inputs.get(number);
    return input == null ? InputStream.nullInputStream() : input;
  }

  /** Writes messages on a channel; closing it tells the client nothing. */
  OutputStream output(int number) {
    return new Output(number);
  }

  void closeInputs() {
    inputs.values().forEach(InboundStream::close);
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
    switch (frame) {
      case BinaryWebSocketFrame binary -> begin(context, binary.content());
      case ContinuationWebSocketFrame more -> deliver(more.content());
      case PingWebSocketFrame ping -> {
        var _ = context.writeAndFlush(new PongWebSocketFrame(ping.content().retain()));
      }
      case CloseWebSocketFrame close ->
          context.writeAndFlush(close.retain()).addListener(ChannelFutureListener.CLOSE);
      case PongWebSocketFrame pong -> {}
      default -> refuse(context, WebSocketCloseStatus.INVALID_MESSAGE_TYPE);
    }
  }

  private void begin(ChannelHandlerContext context, ByteBuf message) {
    if (!message.isReadable()) {
      current = null;
      return;
    }
    int number = message.readUnsignedByte();
    if (number == CLOSE_CHANNEL && halfClose) {
      current = null;
      end(context, message);
      return;
    }
    current = inputs.get(number);
    deliver(message);
  }

  private void end(ChannelHandlerContext context, ByteBuf message) {
    if (!message.isReadable()) {
      refuse(context, WebSocketCloseStatus.PROTOCOL_ERROR);
      return;
    }
    InboundStream ended = inputs.get((int) message.readUnsignedByte());
    if (ended != null) {
      ended.end();
    }
  }

  private void deliver(ByteBuf content) {
    if (current != null) {
      current.offer(content.retain());
    }
  }

  private void refuse(ChannelHandlerContext context, WebSocketCloseStatus status) {
    log.debug("WebSocket of {} closed: {}", channel.remoteAddress(), status);
    context.writeAndFlush(new CloseWebSocketFrame(status)).addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    log.debug("WebSocket of {} failed: {}", channel.remoteAddress(), cause.toString());
    refuse(context, WebSocketCloseStatus.PROTOCOL_ERROR);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof IdleStateEvent) {
      var _ = context.close();
    } else {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    var gone = new IOException("the client has closed the connection");
    inputs.values().forEach(input -> input.fail(gone));
    context.fireChannelInactive();
  }

  @Override
  public void sayGoodbye() throws IOException {
    writer.write(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE), 0);
  }

  private final class Output extends OutputStream {
    private final int number;

    Output(int number) {
      this.number = number;
    }

    @Override
    public void write(int single) throws IOException {
      write(new byte[] {(byte) single}, 0, 1);
    }

    /** An empty write is a message too: it tells the client that the channel is there. */
    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      int done = 0;
      do {
        int count = Math.min(MAXIMUM_MESSAGE, length - done);
        byte[] message = new byte[count + 1];
        message[0] = (byte) number;
        System.arraycopy(source, offset + done, message, 1, count);
        writer.write(new BinaryWebSocketFrame(Unpooled.wrappedBuffer(message)), message.length);
        done += count;
      } while (done < length);
    }
  }
}
