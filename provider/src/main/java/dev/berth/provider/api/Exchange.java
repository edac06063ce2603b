package dev.berth.provider.api;

import dev.berth.provider.api.stream.BoundedWriter;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** One request and its answer, served by one virtual thread. */
final class Exchange {
  private final Channel channel;
  private final FullHttpRequest nettyRequest;
  private final ApiRequest request;
  private final boolean keepAlive;
  private final BoundedWriter writer;
  private boolean answered;
  private int status;

  Exchange(Channel channel, FullHttpRequest nettyRequest, ApiRequest request, boolean keepAlive) {
    this.channel = channel;
    this.nettyRequest = nettyRequest;
    this.request = request;
    this.keepAlive = keepAlive;
    this.writer = new BoundedWriter(channel);
  }

  ApiRequest request() {
    return request;
  }

  FullHttpRequest nettyRequest() {
    return nettyRequest;
  }

  Channel channel() {
    return channel;
  }

  boolean isClientThere() {
    return channel.isActive();
  }

  /** Whether the status line was sent, so that no other answer can be given. */
  boolean isAnswered() {
    return answered;
  }

  /** The status that was sent; 0 before. */
  int status() {
    return status;
  }

  /** The answer is given in another protocol from now on. */
  void upgraded() {
    answered = true;
    status = 101;
  }

  void respond(int code, String contentType, String body) throws IOException {
    respond(code, contentType, body.getBytes(StandardCharsets.UTF_8));
  }

  void respond(int code, String contentType, byte[] body) throws IOException {
    answered = true;
    status = code;
    var response =
        new DefaultFullHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(code), Unpooled.wrappedBuffer(body));
    setHeaders(response, contentType);
    response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
    writer.write(response, body.length);
    closeUnlessKept();
  }

  /** Begins an answer of unknown length; closing the stream ends it. */
  OutputStream stream(String contentType) throws IOException {
    answered = true;
    status = 200;
    var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    setHeaders(response, contentType);
    response.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    writer.write(response, 0);
    return new Body();
  }

  /** Ends the connection, so that the client notices that the answer is not whole. */
  void abort() {
    var _ = channel.close();
  }

  private void setHeaders(HttpResponse response, String contentType) {
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
    if (!keepAlive) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
  }

  private void closeUnlessKept() {
    if (!keepAlive) {
      channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }
  }

  private final class Body extends OutputStream {
    @Override
    public void write(int single) throws IOException {
      write(new byte[] {(byte) single}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      if (length > 0) {
        byte[] copy = new byte[length];
        System.arraycopy(source, offset, copy, 0, length);
        writer.write(new DefaultHttpContent(Unpooled.wrappedBuffer(copy)), length);
      }
    }

    @Override
    public void close() throws IOException {
      writer.write(LastHttpContent.EMPTY_LAST_CONTENT, 0);
      closeUnlessKept();
    }
  }
}
