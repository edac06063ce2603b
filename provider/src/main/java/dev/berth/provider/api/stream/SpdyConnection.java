package dev.berth.provider.api.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.spdy.DefaultSpdyGoAwayFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyHeaders;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdySessionStatus;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyVersion;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's side of a SPDY/3.1 connection as Kubernetes uses it: the client opens streams,
 * neither side keeps windows. Netty's own session handler would enforce them and stall after 64
 * KiB.
 */
public final class SpdyConnection extends ChannelInboundHandlerAdapter
    implements StreamingConnection {
  private static final Logger log = LoggerFactory.getLogger(SpdyConnection.class);

  private static final int MAXIMUM_CHUNK = 64 * 1024;
  private static final int MAXIMUM_HEADERS = 16 * 1024;
  private static final int MAXIMUM_STREAMS = 4096;
  private static final Duration PING_INTERVAL = Duration.ofSeconds(30);

  private final Channel channel;
  private final BoundedWriter writer;
  private final ReadBudget budget;
  private final Predicate<SpdyStream> acceptor;
  private final Map<Integer, SpdyStream> streams = new ConcurrentHashMap<>();
  private int lastStreamId;
  private int pingId;

  private SpdyConnection(Channel channel, Predicate<SpdyStream> acceptor) {
    this.channel = channel;
    this.writer = new BoundedWriter(channel);
    this.budget = new ReadBudget(channel);
    this.acceptor = acceptor;
  }

  /**
   * Adds the protocol to the end of a pipeline, on the channel's event loop.
   *
   * @param acceptor called on the event loop for each new stream: must not block; false refuses it
   */
  public static SpdyConnection install(
      ChannelPipeline pipeline, Duration idleTimeout, Predicate<SpdyStream> acceptor) {
    var connection = new SpdyConnection(pipeline.channel(), acceptor);
    pipeline.addLast(Upgrades.idle(idleTimeout));
    pipeline.addLast(
        new SpdyFrameCodec(SpdyVersion.SPDY_3_1, MAXIMUM_CHUNK, MAXIMUM_HEADERS, 6, 15, 8, false));
    pipeline.addLast(connection);
    return connection;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    schedulePing(context);
  }

  /** A ping tells of a peer that is gone while reading is paused, when its FIN stays unseen. */
  private void schedulePing(ChannelHandlerContext context) {
    var _ =
        context
            .executor()
            .schedule(
                () -> {
                  if (channel.isActive()) {
                    pingId += 2;
                    send(context, new DefaultSpdyPingFrame(pingId));
                    schedulePing(context);
                  }
                },
                PING_INTERVAL.toMillis(),
                TimeUnit.MILLISECONDS);
  }

  BoundedWriter writer() {
    return writer;
  }

  @Override
  public Channel channel() {
    return channel;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    try {
      switch (message) {
        case SpdySynStreamFrame frame -> open(context, frame);
        case SpdyDataFrame frame -> receive(frame);
        case SpdyRstStreamFrame frame -> abort(frame.streamId());
        case SpdyPingFrame frame when frame.id() % 2 != 0 ->
            send(context, new DefaultSpdyPingFrame(frame.id()));
        default -> {
          // Settings, windows, headers, replies and farewells ask nothing of this side.
        }
      }
    } finally {
      ReferenceCountUtil.release(message);
    }
  }

  private void open(ChannelHandlerContext context, SpdySynStreamFrame frame) {
    int id = frame.streamId();
    if (frame.isInvalid() || frame.isTruncated() || id % 2 == 0 || id <= lastStreamId) {
      fail(context, "stream " + id + " has unfit headers or a number out of order");
      return;
    }
    lastStreamId = id;
    var input = new InboundStream(budget);
    if (frame.isLast()) {
      input.end();
    }
    var stream = new SpdyStream(this, id, frame.headers(), input);
    boolean hasRoom = streams.size() < MAXIMUM_STREAMS;
    streams.put(id, stream);
    if (!hasRoom || !acceptor.test(stream)) {
      streams.remove(id);
      send(context, new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.REFUSED_STREAM));
      return;
    }
    // An empty header block would be left out by the codec, which the Go peer cannot read.
    var reply = new DefaultSpdySynReplyFrame(id);
    reply.headers().add(SpdyHeaders.HttpNames.STATUS, "200");
    reply.headers().add(SpdyHeaders.HttpNames.VERSION, "HTTP/1.1");
    send(context, reply);
  }

  private static void send(ChannelHandlerContext context, Object frame) {
    var _ = context.writeAndFlush(frame);
  }

  private void receive(SpdyDataFrame frame) {
    SpdyStream stream = streams.get(frame.streamId());
    if (stream == null) {
      return;
    }
    ByteBuf content = frame.content();
    stream.inbound().offer(content.retain());
    if (frame.isLast()) {
      stream.inbound().end();
      forgetIfOver(stream);
    }
  }

  private void abort(int id) {
    SpdyStream stream = streams.remove(id);
    if (stream != null) {
      stream.abort(new IOException("the client has reset the stream"));
    }
  }

  void forgetIfOver(SpdyStream stream) {
    if (stream.inbound().isEnded() && stream.isOutputClosed()) {
      streams.remove(stream.id());
    }
  }

  void reset(int id) {
    if (streams.remove(id) != null) {
      var _ = channel.writeAndFlush(new DefaultSpdyRstStreamFrame(id, SpdyStreamStatus.CANCEL));
    }
  }

  private void fail(ChannelHandlerContext context, String reason) {
    log.debug("SPDY connection of {} closed: {}", channel.remoteAddress(), reason);
    context
        .writeAndFlush(new DefaultSpdyGoAwayFrame(lastStreamId, SpdySessionStatus.PROTOCOL_ERROR))
        .addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    fail(context, String.valueOf(cause.getMessage()));
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof IdleStateEvent) {
      log.debug("SPDY connection of {} was idle too long", channel.remoteAddress());
      var _ = context.close();
    } else {
      context.fireUserEventTriggered(event);
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    var gone = new IOException("the client has closed the connection");
    streams.values().forEach(stream -> stream.abort(gone));
    streams.clear();
    context.fireChannelInactive();
  }

  /** Says goodbye; what was written before arrives before. */
  @Override
  public void sayGoodbye() throws IOException {
    writer.write(new DefaultSpdyGoAwayFrame(lastStreamId, SpdySessionStatus.OK), 0);
  }
}
