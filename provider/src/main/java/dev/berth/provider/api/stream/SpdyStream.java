package dev.berth.provider.api.stream;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyHeaders;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Optional;

/** One stream of a SPDY connection; both directions end on their own. */
public final class SpdyStream {
  /** Small enough that streams of one connection take turns. */
  private static final int MAXIMUM_FRAME = 32 * 1024;

  private final SpdyConnection connection;
  private final int id;
  private final SpdyHeaders headers;
  private final InboundStream input;
  private final Output output = new Output();

  SpdyStream(SpdyConnection connection, int id, SpdyHeaders headers, InboundStream input) {
    this.connection = connection;
    this.id = id;
    this.headers = headers;
    this.input = input;
  }

  public int id() {
    return id;
  }

  /** A header of the stream, found whatever the case of its name. */
  public Optional<String> header(String name) {
    for (var header : headers) {
      if (header.getKey().toString().equalsIgnoreCase(name)) {
        return Optional.of(header.getValue().toString());
      }
    }
    return Optional.empty();
  }

  /** What the client sends; ends with its FIN, fails with the connection. */
  public InputStream input() {
    return input;
  }

  /** Writes to the client; closing it sends FIN. */
  public OutputStream output() {
    return output;
  }

  SpdyConnection connection() {
    return connection;
  }

  InboundStream inbound() {
    return input;
  }

  boolean isOutputClosed() {
    return output.closed;
  }

  /** Ends both directions at once. */
  public void reset() {
    input.close();
    output.closed = true;
    connection.reset(id);
  }

  void abort(IOException cause) {
    input.fail(cause);
    output.closed = true;
  }

  private final class Output extends OutputStream {
    private volatile boolean closed;

    @Override
    public void write(int single) throws IOException {
      write(new byte[] {(byte) single}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
      for (int done = 0; done < length; ) {
        if (closed) {
          throw new IOException("the stream is closed");
        }
        int count = Math.min(MAXIMUM_FRAME, length - done);
        byte[] copy = new byte[count];
        System.arraycopy(source, offset + done, copy, 0, count);
        connection
            .writer()
            .write(new DefaultSpdyDataFrame(id, Unpooled.wrappedBuffer(copy)), count);
        done += count;
      }
    }

    @Override
    public void close() throws IOException {
      if (closed) {
        return;
      }
      closed = true;
      connection.writer().write(new DefaultSpdyDataFrame(id).setLast(true), 0);
      connection.forgetIfOver(SpdyStream.this);
    }
  }
}
