package dev.berth.provider.api.stream;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshaker;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;

/** Turns an HTTP connection into one of another protocol. Called on a blocking thread. */
public final class Upgrades {
  private static final int LARGEST_WEBSOCKET_FRAME = 1 << 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private Upgrades() {}

  /**
   * Answers 101 and speaks SPDY from then on.
   *
   * @param protocol to name in the answer; empty for a client that offered none
   */
  public static SpdyConnection toSpdy(
      Channel channel,
      Optional<String> protocol,
      Duration idleTimeout,
      Predicate<SpdyStream> acceptor)
      throws IOException {
    var response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS, Unpooled.EMPTY_BUFFER);
    response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
    response.headers().set(HttpHeaderNames.UPGRADE, "SPDY/3.1");
    protocol.ifPresent(name -> response.headers().set(StreamProtocols.HEADER, name));
    return await(
        channel
            .eventLoop()
            .submit(
                () -> {
                  ChannelPipeline pipeline = channel.pipeline();
                  List<ChannelHandler> ofHttp = handlersOfHttp(pipeline);
                  var _ = pipeline.writeAndFlush(response);
                  SpdyConnection connection =
                      SpdyConnection.install(pipeline, idleTimeout, acceptor);
                  ofHttp.forEach(pipeline::remove);
                  return connection;
                }));
  }

  /**
   * Answers 101 and speaks WebSocket from then on, with the streams of a command.
   *
   * <p>The client's order decides between the subprotocols that are known; it may offer none.
   */
  public static CommandStreams toWebSocketCommand(
      Channel channel, FullHttpRequest request, Duration idleTimeout, CommandOptions options)
      throws IOException {
    WebSocketServerHandshaker handshaker = handshaker(request, WebSocketCommandStreams.PROTOCOLS);
    String offered = request.headers().get(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL);
    String protocol =
        offered == null
            ? ""
            : StreamProtocols.choose(
                    StreamProtocols.split(offered), WebSocketCommandStreams.PROTOCOLS)
                .orElse("");
    WebSocketConnection connection =
        shakeHands(
            channel,
            request,
            handshaker,
            pipeline -> {
              var streams =
                  new WebSocketConnection(
                      channel,
                      WebSocketCommandStreams.inputChannels(),
                      protocol.equals("v5.channel.k8s.io"));
              pipeline.addLast(idle(idleTimeout), streams);
              return streams;
            });
    return WebSocketCommandStreams.begin(connection, options, protocol);
  }

  /** Answers 101 and speaks WebSocket from then on, with the channels of forwarded ports. */
  public static WebSocketConnection toWebSocketPortForward(
      Channel channel, FullHttpRequest request, Duration idleTimeout, WebSocketPortForward forward)
      throws IOException {
    return shakeHands(
        channel,
        request,
        handshaker(request, List.of(WebSocketPortForward.PROTOCOL)),
        pipeline -> {
          var streams = new WebSocketConnection(channel, forward.inputChannels(), false);
          pipeline.addLast(idle(idleTimeout), streams);
          return streams;
        });
  }

  /** Answers 101 and speaks SPDY within the messages of a WebSocket from then on. */
  public static SpdyConnection toTunnelledSpdy(
      Channel channel,
      FullHttpRequest request,
      Duration idleTimeout,
      Predicate<SpdyStream> acceptor)
      throws IOException {
    return shakeHands(
        channel,
        request,
        handshaker(request, List.of(StreamProtocols.TUNNEL)),
        pipeline -> {
          pipeline.addLast(new WebSocketTunnel());
          return SpdyConnection.install(pipeline, idleTimeout, acceptor);
        });
  }

  static IdleStateHandler idle(Duration timeout) {
    return new IdleStateHandler(timeout.toMillis(), 0, 0, TimeUnit.MILLISECONDS);
  }

  private static WebSocketServerHandshaker handshaker(
      FullHttpRequest request, List<String> protocols) throws IOException {
    var factory =
        new WebSocketServerHandshakerFactory(
            request.uri(), String.join(",", protocols), false, LARGEST_WEBSOCKET_FRAME);
    WebSocketServerHandshaker handshaker = factory.newHandshaker(request);
    if (handshaker == null) {
      throw new IOException("the client speaks no known version of WebSocket");
    }
    return handshaker;
  }

  /** The handshaker takes the HTTP codec out itself, once its answer is on the way. */
  private static <T> T shakeHands(
      Channel channel,
      FullHttpRequest request,
      WebSocketServerHandshaker handshaker,
      Function<ChannelPipeline, T> installer)
      throws IOException {
    return await(
        channel
            .eventLoop()
            .submit(
                () -> {
                  ChannelPipeline pipeline = channel.pipeline();
                  List<ChannelHandler> ofHttp = handlersOfHttp(pipeline);
                  ofHttp.removeLast();
                  var _ = handshaker.handshake(channel, request);
                  T installed = installer.apply(pipeline);
                  for (ChannelHandler handler : ofHttp) {
                    if (pipeline.context(handler) != null) {
                      pipeline.remove(handler);
                    }
                  }
                  return installed;
                }));
  }

  /** Everything after TLS; the codec last, as it hands on what it still holds. */
  private static List<ChannelHandler> handlersOfHttp(ChannelPipeline pipeline) {
    var result = new ArrayList<ChannelHandler>();
    for (ChannelHandler handler : pipeline.toMap().values()) {
      if (!(handler instanceof SslHandler) && !(handler instanceof HttpServerCodec)) {
        result.add(handler);
      }
    }
    result.add(pipeline.get(HttpServerCodec.class));
    return result;
  }

  static <T> T await(Future<T> future) throws IOException {
    try {
      if (!future.await(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("the connection did not switch its protocol in time");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while the protocol switches");
    }
    if (!future.isSuccess()) {
      throw new IOException("the connection did not switch its protocol", future.cause());
    }
    return future.getNow();
  }
}
